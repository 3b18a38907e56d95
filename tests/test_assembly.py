"""From settings to probes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.assembly import build_probes
from bot.config import load
from probes.application.http import http_session
from probes.base import AsyncProbe, BlockingProbe, Probe

NOW = datetime(2025, 8, 20, tzinfo=UTC)


def no_session() -> ClientSession:
    raise AssertionError("no web address: no client is needed")


def built(tmp_path: Path, text: str, *, with_disabled: bool = False) -> list[Probe]:
    path = tmp_path / "guardian.yaml"
    path.write_text(text, encoding="utf-8")
    return build_probes(load(path, {}), no_session, {}, with_disabled=with_disabled)


def test_the_machine_is_watched_by_default(tmp_path: Path) -> None:
    probes = built(tmp_path, "name: web-1")
    assert [probe.name for probe in probes] == ["cpu", "memory", "disk", "network", "load", "processes"]
    assert {probe.target for probe in probes} == {"web-1"}
    assert {probe.interval for probe in probes} == {timedelta(seconds=15)}


def test_what_is_switched_off_is_not_built_unless_asked_for(tmp_path: Path) -> None:
    text = "probes: {cpu: {enabled: false}, load: {interval: 1s}}"
    probes = {probe.name: probe for probe in built(tmp_path, text)}
    assert "cpu" not in probes
    assert (probes["load"].interval, probes["load"].timeout) == (timedelta(seconds=1), timedelta(seconds=1))
    assert "cpu" in {probe.name for probe in built(tmp_path, text, with_disabled=True)}


def test_a_mount_that_is_excluded_is_not_read(tmp_path: Path) -> None:
    def targets(text: str) -> set[str]:
        (disk,) = (probe for probe in built(tmp_path, text) if probe.name == "disk")
        assert isinstance(disk, BlockingProbe)
        return {reading.target for reading in disk.read_blocking(NOW)}

    everything = targets("name: web-1")
    assert everything
    assert targets('{name: web-1, probes: {disk: {exclude: ["/*"]}}}') == set()
    assert targets("{name: web-1, probes: {disk: {exclude: [/nowhere]}}}") == everything


async def test_a_web_address_is_asked_with_its_secret_header(tmp_path: Path) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return web.Response(status=204)

    application = web.Application()
    application.router.add_get("/health", answer)
    async with TestServer(application) as server, http_session(version="test") as session:
        path = tmp_path / "guardian.yaml"
        path.write_text(
            f"""
probes:
  http:
    interval: 2s
    targets:
      - name: shop
        url: {server.make_url("/health")}
        expect_status: 204
        secret_headers: {{Authorization: SHOP}}
""",
            encoding="utf-8",
        )
        environment = {"SHOP": "Bearer abcdef"}
        shop = build_probes(load(path, environment), lambda: session, environment)[-1]
        assert isinstance(shop, AsyncProbe)
        readings = {reading.metric: reading for reading in await shop.read(datetime.now(UTC))}
    assert seen == ["Bearer abcdef"]
    assert (shop.target, shop.interval, shop.timeout) == ("shop", timedelta(seconds=2), timedelta(seconds=2))
    assert readings["reachable"].value == 1
