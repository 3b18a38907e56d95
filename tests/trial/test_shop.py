"""The trial's shop as a whole: a real HAProxy, releases as processes, visitors; and what is left of them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from bot.domain.deploy.slots import Slot
from bot.tools.processes import ChildFailed
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.drivers import driver_of
from bot.trial.balancer import SPLIT, Balancer, traffic_of
from bot.trial.shop.places import PRODUCTION, STAGING
from bot.trial.shop.program import start_shop
from bot.trial.shop.shop import MARKER, Shop, driver
from tests.tools.traffic.haproxy import haproxy, until
from tests.trial.shop import ask, opened, places, share_in
from tests.waiting import eventually

_HOLDER = """\
import asyncio, sys
from pathlib import Path
from bot.trial.shop.places import Places
from bot.trial.shop.program import start_shop

async def main():
    shop = await start_shop(Places.from_json(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    print(shop.child.pid, shop.haproxy, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


async def answers(url: str, said: str) -> None:
    """Wait until the shop's page says that."""

    async def does() -> bool:
        status, text = await ask(url)
        return status == 200 and said in text

    await until(does)


def running(folder: Path) -> list[psutil.Process]:
    """Every process that has the folder's name in its command line."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and any(str(folder) in word for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


async def test_it_opens_with_the_first_release_in_slot_a() -> None:
    with places() as (state, there):
        async with opened(state, there) as shop:
            await answers(shop.url, "릴리스 v1")
            releases = driver(there, state, PRODUCTION)
            blue = await releases.find(Slot.A)
            assert blue is not None
            assert (blue.revision, blue.marker) == ("v1", MARKER)
            assert await releases.find(Slot.B) is None
            assert [await driver(there, state, STAGING).find(slot) for slot in Slot] == [None, None]
            assert (await ask(there.ports[STAGING].url))[0] == 503, "nothing is deployed there yet"
            assert share_in(there) == "0"
        await eventually(lambda: not running(state))


async def test_a_header_leads_to_a_slot_that_carries_nothing() -> None:
    with places() as (state, there):
        async with opened(state, there) as shop:
            await driver(there, state, PRODUCTION).start(Slot.B, "v2", "run-1")
            await answers(shop.url, "릴리스 v1")

            async def green() -> bool:
                return "릴리스 v2" in (await ask(shop.url, **{SPLIT.header: "b"}))[1]

            await until(green)


async def test_who_is_live_stays_so_from_one_start_to_the_next() -> None:
    with places() as (state, there):
        traffic, releases = driver_of(traffic_of(there)[PRODUCTION]), driver(there, state, PRODUCTION)
        async with opened(state, there) as shop:
            await releases.start(Slot.B, "v2", "run-7")
            await traffic.shift(100)
            await answers(shop.url, "릴리스 v2")
        assert await releases.find(Slot.B) is None, "what was closed has ended"
        with pytest.raises(TrafficFailed):
            await traffic.share()
        async with opened(state, there) as shop:
            await answers(shop.url, "릴리스 v2")
            assert await traffic.share() == 100
            both = [await releases.find(slot) for slot in Slot]
            assert [each and (each.revision, each.marker) for each in both] == [
                ("v1", MARKER),
                ("v2", "run-7"),
            ]


async def test_it_ends_with_whoever_started_it_however_that_ends() -> None:
    with places() as (state, there):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _HOLDER, there.as_json(), str(state), haproxy()),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        line = await process.stdout.readline()
        pids = [int(word) for word in line.split()]
        assert all(psutil.pid_exists(pid) for pid in pids)
        assert await driver(there, state, PRODUCTION).find(Slot.A) is not None
        process.kill()
        await process.wait()
        await eventually(lambda: not any(map(psutil.pid_exists, pids)))
        await eventually(lambda: not running(state))
        said = (state / "shop.log").read_text(encoding="utf-8")
        assert " requests of visitors, " in said


async def test_haproxy_ends_when_the_shop_is_killed_and_the_next_one_takes_over() -> None:
    with places() as (state, there):
        shop = await start_shop(there, state, haproxy())
        os.kill(shop.child.pid, signal.SIGKILL)
        await shop.child.wait()
        await eventually(lambda: not psutil.pid_exists(shop.haproxy))
        left = await driver(there, state, PRODUCTION).find(Slot.A)
        assert left is not None, "releases outlive a controller that is killed"
        async with opened(state, there) as again:
            await answers(again.url, "릴리스 v1")
            kept = await driver(there, state, PRODUCTION).find(Slot.A)
            assert kept is not None
            assert kept.started_at == left.started_at, "and are not started anew"
        await eventually(lambda: not running(state))


async def test_haproxy_is_started_again_when_it_has_ended() -> None:
    with places() as (state, there):
        async with opened(state, there) as shop:
            await answers(shop.url, "릴리스 v1")
            os.kill(shop.haproxy, signal.SIGKILL)
            await eventually(lambda: not psutil.pid_exists(shop.haproxy))
            traffic = driver_of(traffic_of(there)[PRODUCTION])

            async def back() -> bool:
                try:
                    return await traffic.share() == 0
                except TrafficFailed:
                    return False

            await until(back)
            await answers(shop.url, "릴리스 v1")


async def test_its_visitors_come_to_production_and_nothing_fails() -> None:
    with places() as (state, there):
        shop = Shop(there, state, haproxy())
        await shop.start(datetime.now(UTC))
        try:
            await answers(there.ports[PRODUCTION].url, "릴리스 v1")
            already = shop.visitors.failures  # those who came before it had opened
            before = await driver_of(traffic_of(there)[PRODUCTION]).counters(Slot.A)
            wanted = shop.visitors.requests + 20
            await eventually(lambda: shop.visitors.requests >= wanted)
            assert shop.visitors.failures == already
            after = await driver_of(traffic_of(there)[PRODUCTION]).counters(Slot.A)
            assert after.since(before).requests > 0
        finally:
            await shop.close()


async def test_a_port_that_is_taken_is_told() -> None:
    with places() as (state, there):
        door = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", there.ports[PRODUCTION].shop)
        async with door:
            with pytest.raises(ChildFailed, match="HAProxy did not start"):
                await start_shop(there, state, haproxy())
        assert str(there.ports[PRODUCTION].shop) in (state / "haproxy.log").read_text(encoding="utf-8")
        await eventually(lambda: not running(state))


async def test_haproxy_finds_nothing_wrong_with_its_configuration() -> None:
    with places() as (state, there):
        Balancer(haproxy(), there, state / "log").write()
        process = await asyncio.create_subprocess_exec(
            *(haproxy(), "-c", "-f", str(there.balancer / "haproxy.cfg")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0
        assert b"WARNING" not in said
        assert (there.balancer.stat().st_mode & 0o077) == 0, "whoever reaches its socket may do everything"
