"""The parts of the way back, each at a real HAProxy."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.deploy.slots import Slot
from bot.engine.deploy.back import Diverted, answers, divert, drain, patiently, see_still, share_told
from bot.engine.deploy.site import Site
from bot.engine.operations.contract import StepFailed
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.drivers import Divertible
from tests.engine.deploy.ground import BRISK, garble, standing, unwritable
from tests.engine.deploy.visitors import asking, visitors
from tests.tools.traffic.haproxy import until


class Uncut:
    """A load balancer that cannot cut anything off."""

    def __init__(self, real: Divertible) -> None:
        self.share, self.shift, self.divert = real.share, real.shift, real.divert
        self.counters, self.latencies, self.in_flight = real.counters, real.latencies, real.in_flight

    async def cut(self, slot: Slot) -> int:
        return 0


async def diverted(site: Site) -> Diverted:
    """Let slot a carry everything."""
    return await divert(await share_told(site), site, Slot.A)


async def test_what_was_moved_already_is_made_to_last() -> None:
    async with standing(BRISK) as (_, balancer, site):
        # Whoever moved it was killed before it was in the file, which the next start of HAProxy reads.
        balancer.map_file.write_text("shop 25\n")
        moved = await diverted(site)
        assert moved.problem is None
        assert balancer.map_file.read_text() == "shop 0\n"


async def test_a_file_that_cannot_be_written_is_said_once_traffic_has_moved() -> None:
    async with standing(BRISK) as (_, balancer, site):
        await site.traffic.shift(50)
        with unwritable(balancer.map_file):
            moved = await diverted(site)
        assert await site.traffic.share() == 0
        assert moved.problem is not None
        assert moved.problem.reason == "traffic_file"
        assert moved.told["before"] == 50


async def test_a_share_that_cannot_be_read_is_no_reason_to_stay() -> None:
    async with standing(BRISK) as (_, balancer, site):
        await site.traffic.shift(50)
        await garble(balancer.configuration)
        with pytest.raises(TrafficFailed, match="traffic_unreadable"):
            await site.traffic.share()
        moved = await diverted(site)
        assert (moved.told["before"], moved.problem) == (None, None)
        assert await site.traffic.share() == 0


class Blind(Uncut):
    """A load balancer that does as it is told and does not tell what it does."""

    def __init__(self, real: Divertible) -> None:
        super().__init__(real)
        self.share = self._unread

    async def _unread(self) -> int:
        raise TrafficFailed("traffic_unreadable", "a test")


async def test_what_was_done_and_cannot_be_seen_is_said_once_it_is_done() -> None:
    async with standing(BRISK) as (_, balancer, site):
        await site.traffic.shift(50)
        moved = await diverted(replace(site, traffic=Blind(site.traffic)))
        assert await site.traffic.share() == 0
        assert moved.problem is not None
        assert moved.problem.reason == "traffic_unreadable"
        # What could not be done is not said to be.
        await site.traffic.shift(50)
        with unwritable(balancer.map_file), pytest.raises(StepFailed, match="traffic_file"):
            await diverted(replace(site, traffic=Blind(site.traffic)))


async def test_requests_that_end_late_are_none_that_come_and_those_that_come_are_seen() -> None:
    async with standing(BRISK) as (_, balancer, site):
        late = []
        for wait in range(1000, 9000, 100):  # one ends every tenth of a second, for longer than is looked
            late.append(asyncio.create_task(asking(f"{balancer.url}?wait={wait}")))

        async def first_is_over() -> bool:
            return (await site.traffic.counters(Slot.A)).requests > 0

        await until(first_is_over)
        await see_still(site, Slot.A)
        assert await site.traffic.in_flight(Slot.A) > 0
        async with visitors(balancer.url, 4) as found:
            with pytest.raises(StepFailed, match="traffic_goes_on"):
                await see_still(site, Slot.A)
        assert await asyncio.gather(*late) == [200] * len(late)
        assert found.failures == []


async def test_what_does_not_end_in_time_is_cut_off() -> None:
    async with standing(BRISK) as (_, balancer, site):
        late = asyncio.create_task(asking(f"{balancer.url}?wait=60000"))

        async def there() -> bool:
            return await site.traffic.in_flight(Slot.A) == 1

        await until(there)
        told = await drain(site, Slot.A, 0.5)
        assert (told["cut"], told["left"]) == (1, 0)
        assert await late == 502
        assert (await drain(site, Slot.A, 0.5))["cut"] == 0


async def test_what_cannot_be_cut_off_is_said_to_be_left() -> None:
    async with standing(BRISK) as (_, balancer, site):
        late = asyncio.create_task(asking(f"{balancer.url}?wait=3000"))

        async def there() -> bool:
            return await site.traffic.in_flight(Slot.A) == 1

        await until(there)
        told = await drain(replace(site, traffic=Uncut(site.traffic)), Slot.A, 0.0)
        assert (told["cut"], told["left"]) == (0, 1)
        assert await late == 200


async def test_who_is_there_at_all() -> None:
    async with standing(BRISK) as (_, _balancer, site):
        assert await answers(site, Slot.A)
        assert not await answers(site, Slot.B)


async def test_a_load_balancer_that_is_away_is_waited_for_as_long_as_the_site_says() -> None:
    async with standing(BRISK) as (_, balancer, site):
        await balancer.stop()
        with pytest.raises(StepFailed, match="traffic_gone"):
            await patiently(replace(site, patience=0.0), site.traffic.share)
        waiting = asyncio.create_task(patiently(site, site.traffic.share))
        await asyncio.sleep(0)
        await balancer.start()
        assert await waiting == 0
