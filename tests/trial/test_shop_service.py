"""How the shop's releases answer: two well, one with errors, one late, one that is never healthy."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from bot.config.deploy import services_of
from bot.domain.deploy.addresses import Address
from bot.domain.deploy.checks import Asked
from bot.domain.deploy.measures import Counted, Latencies
from bot.domain.deploy.preflight import Answer
from bot.engine.deploy.checks import Done, Stopping, run_trials
from bot.engine.deploy.inspection import failed_of
from bot.tools.releases.health import HealthRules, check, session_of
from bot.tools.releases.requests import send
from bot.trial.shop.places import SERVICE, Places, Ports
from bot.trial.shop.releases import write_releases
from bot.trial.shop.settings import deploy_settings
from tests.trial.shop import ask, release

PATHS = ("/", "/api/items")
FAST = 10_000.0
"""requests a second: as fast as they go"""


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    write_releases(tmp_path / "releases")
    return tmp_path / "releases"


def address(url: str) -> Address:
    return Address("127.0.0.1", int(url.rpartition(":")[2]))


async def sent(url: str, count: int) -> tuple[Counted, Latencies]:
    return await send(address(url), PATHS, count, FAST, 30.0)


@pytest.mark.parametrize(("revision", "colour"), [("v1", "#1d4ed8"), ("v2", "#15803d")])
async def test_a_good_release_answers_everything(releases: Path, revision: str, colour: str) -> None:
    async with release(releases, revision) as url:
        counted, _ = await sent(url, 1500)
        assert (counted.requests, counted.errors) == (1500, 0)
        status, page = await ask(url)
        assert (status, f"릴리스 {revision}" in page, colour in page) == (200, True, True)
        items = json.loads((await ask(f"{url}/api/items"))[1])
        assert items["revision"] == revision
        assert items["items"]
        assert json.loads((await ask(f"{url}/health"))[1]) == {"status": "ok", "revision": revision}


async def test_errors_begin_once_it_has_answered_for_a_while(releases: Path) -> None:
    async with release(releases, "v3", SHOP_SEED="3") as url:
        assert (await sent(url, 800))[0].errors == 0, "long enough for every test of Green"
        counted, _ = await sent(url, 2000)
        # 5 % of 2000 are 100, with a standard deviation of 9.7: four of these to either side.
        assert 61 <= counted.errors <= 139
        assert (await ask(f"{url}/health"))[0] == 200


async def test_some_answers_take_long_once_it_has_answered_for_a_while(releases: Path) -> None:
    async with release(releases, "v4", SHOP_SEED="4") as url:
        counted, early = await sent(url, 800)
        assert counted.errors == 0
        median = early.quantile(0.5)
        assert median is not None and median < 700
        counted, took = await sent(url, 600)
        assert counted.errors == 0
        # 10 % of 600 are 60, with a standard deviation of 7.3: four of these fewer.
        slow = took.over(600.0)
        assert slow >= 30
        usual = took.quantile(0.5)
        assert usual is not None and usual < 700, "and most don't"


async def test_an_error_page_with_status_200_is_not_healthy(releases: Path) -> None:
    rules = HealthRules(contains='"status": "ok"')
    for revision, problem in (("v4", None), ("v5", "health_body")):
        async with release(releases, revision) as url, session_of(1, 5.0) as session:
            found = await check(address(url), rules, session)
            assert (None if found is None else found.name) == problem
            assert (await ask(f"{url}/health"))[0] == 200


async def trials(url: str, folder: Path, revision: str) -> tuple[Done, ...]:
    """The four kinds of tests against Green, as the trial's configuration has them."""
    places = Places(folder, folder / "haproxy", {"production": Ports(1, 2, 3), "staging": Ports(4, 5, 6)})
    service = services_of(deploy_settings(places, (), "for this test", git=False))[0]

    async def one(at: str, asked: Asked, _seconds: float, /) -> Answer:
        status, text = await ask(f"http://{at}{asked.path}")
        good = asked.statuses[0] <= status <= asked.statuses[1] and (asked.contains or "") in text
        return Answer(asked.path, None if good else "health_body")

    async def many(
        at: str, paths: object, count: int, per_second: float, seconds: float, stopping: Stopping, /
    ) -> tuple[Counted, Latencies]:
        return await send(address(f"http://{at}"), PATHS, count, per_second, seconds, stopping)

    values = {"revision": revision, "service": SERVICE, "environment": "production"}
    return await run_trials(service.verification, values, url.removeprefix("http://"), ask=one, send=many)


@pytest.mark.parametrize("revision", ["v2", "v3"])
async def test_the_tests_against_green_find_nothing(releases: Path, revision: str) -> None:
    async with release(releases, revision, SHOP_SEED="1") as url:
        done = await trials(url, releases.parent, revision)
        assert not failed_of(done), done


async def test_the_tests_against_green_find_what_is_there(releases: Path) -> None:
    async with release(releases, "v3", SHOP_SEED="1", SHOP_ROOM="0") as url:
        assert failed_of(await trials(url, releases.parent, "v3"))


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200"),
        (b"HEAD / HTTP/1.0\r\n\r\n", b"200"),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"405"),
        (b"GET /\r\n\r\n", b"400"),
        (b"GET /../VERSION HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
    ],
)
async def test_it_speaks_http(releases: Path, request_text: bytes, status: bytes) -> None:
    async with release(releases, "v1") as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", address(url).port)
        writer.write(request_text)
        answer = await reader.read()  # until it hangs up
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == status
    assert bool(body) == (status in (b"200", b"404") and not request_text.startswith(b"HEAD"))


async def test_told_to_end_it_answers_what_is_under_way(releases: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with release(releases, "v4", SHOP_ROOM="0", SHOP_SEED="0") as url:
            asked = [asyncio.create_task(session.get(url)) for _ in range(40)]
            done, waiting = await asyncio.wait(asked, timeout=0.5)
        # The release has been told to end now, and has ended well.
        assert waiting, "some are slow"
        for each in [*done, *waiting]:
            assert (await each).status == 200
