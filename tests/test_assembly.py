"""From settings to probes."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
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


_LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from bot.assembly import build_probes
from bot.config import load
from probes.application.http import http_session

async def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, int(sys.argv[2])))
    async with http_session(version="test") as session:
        build_probes(load(Path(sys.argv[1]), {}), lambda: session, {})
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])

asyncio.run(main())
"""


@pytest.mark.parametrize(("hard", "allowed", "warned"), [(4096, 500, False), (300, 300, True)])
def test_many_web_addresses_get_room_for_their_connections(
    tmp_path: Path, hard: int, allowed: int, warned: bool
) -> None:
    """In a process of its own: a lowered limit cannot be raised again."""
    path = tmp_path / "guardian.yaml"
    targets = [{"name": f"shop {number}", "url": "http://127.0.0.1/"} for number in range(300)]
    path.write_text(json.dumps({"probes": {"http": {"targets": targets}}}), encoding="utf-8")
    arguments = [sys.executable, "-c", _LIMITED, str(path), str(hard)]
    said = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == str(allowed)
    assert ("too_few_open_files" in said) is warned


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
