"""The way back of a deployment where nothing can be moved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.deploy.measures import Counters, Latencies
from bot.domain.deploy.plan import CHECK_BLUE, STOP_GREEN, TRAFFIC_BACK
from bot.domain.deploy.slots import Slot
from bot.domain.operations.plan import JsonObject
from bot.engine.deploy.book import DeployBook
from bot.engine.deploy.leases import Leases
from bot.engine.deploy.site import Site
from bot.engine.deploy.undoing import Undoing
from bot.engine.operations.contract import StepFailed
from bot.engine.operations.live import LiveWork
from bot.store.database import Database
from bot.store.deployments import DeploymentStore
from bot.store.errors import StoreUnavailable
from bot.store.insight import InsightStore
from bot.store.operations import OperationStore
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.leases import Rolled, rolled_file, write_file
from tests.engine.deploy.ground import BRISK, standing
from tests.engine.deploy.test_book import deployment
from tests.engine.support import Disk, SetClock
from tests.factories import T0


class Away:
    """A load balancer that is not there."""

    def __init__(self) -> None:
        self.asked = self.told = 0

    async def share(self) -> int:
        self.asked += 1
        raise TrafficFailed("traffic_gone", "no such socket")

    async def shift(self, b: int) -> None:
        raise AssertionError

    async def divert(self, b: int) -> None:
        self.told += 1
        raise TrafficFailed("traffic_gone", "no such socket")

    async def counters(self, slot: Slot) -> Counters:
        raise AssertionError

    async def latencies(self, slot: Slot) -> Latencies | None:
        raise AssertionError

    async def in_flight(self, slot: Slot) -> int:
        raise AssertionError

    async def cut(self, slot: Slot) -> int:
        raise AssertionError


def book_in(database: Database) -> DeployBook:
    """The book of deployments that is kept there."""
    insight = InsightStore(database)
    return DeployBook(
        DeploymentStore(database), OperationStore(database), insight.adding_change, insight.changes
    )


async def test_a_load_balancer_that_stays_away_is_waited_for_once_a_run(
    small: Database, clock: SetClock
) -> None:
    async with standing(BRISK) as (folder, _, site):
        book = book_in(small)
        undoing, away = Undoing(Leases(folder / "leases"), book, clock), Away()
        gone = replace(site, traffic=away, patience=1.0)

        async def tried(run: int, name: str) -> int:
            """How often it was told to go back, or else asked, until that was given up."""
            asked, told = away.asked, away.told
            work = LiveWork(run, 1, 0, lambda name, text: None)
            with pytest.raises(StepFailed, match="traffic_gone"):
                await undoing.undo(gone, deployment(), name, work)
            return away.told - told or away.asked - asked

        assert await tried(7, TRAFFIC_BACK) > 1
        assert [await tried(7, name) for name in (TRAFFIC_BACK, STOP_GREEN, CHECK_BLUE)] == [1, 1, 1]
        assert await tried(8, TRAFFIC_BACK) > 1


async def test_traffic_that_somebody_shares_before_anything_is_begun_is_left_as_it_is(
    small: Database, clock: SetClock
) -> None:
    async with standing(BRISK) as (folder, _, site):
        book = book_in(small)
        undoing = Undoing(Leases(folder / "leases"), book, clock)
        await site.traffic.shift(40)
        work = LiveWork(7, 1, 0, lambda name, text: None)
        assert await undoing.undo(site, deployment(), CHECK_BLUE, work) == {"as_found": 60}
        # One that has begun cannot say so.
        await book.begin(7, deployment(), clock())
        with pytest.raises(StepFailed, match="traffic_not_moved") as failed:
            await undoing.undo(site, deployment(), CHECK_BLUE, work)
        assert failed.value.values["share"] == 60


RUN = 7


@dataclass
class Back:
    """A deployment at a quarter of the traffic, and its way back."""

    site: Site
    folder: Path
    undoing: Undoing
    book: DeployBook
    insight: InsightStore

    async def undo(self, name: str = TRAFFIC_BACK) -> JsonObject:
        """What that undo says."""
        work = LiveWork(RUN, 1, 0, lambda name, text: None)
        return await self.undoing.undo(self.site, deployment(), name, work)

    async def judged(self) -> None:
        """The judge ends the stage."""
        with pytest.raises(StepFailed, match="judged"):
            async with self.undoing.home_at_once(self.site, Slot.B, RUN):
                raise StepFailed("judged")
        assert await self.site.traffic.share() == 0

    def rolled(self, content: str) -> None:
        """The watchdog has written that down."""
        (self.folder / "leases").mkdir()
        write_file(rolled_file(self.folder / "leases", f"run-{RUN}"), content, lasting=False)

    async def moments(self) -> tuple[datetime | None, datetime | None, datetime]:
        """Of its book: when it went wrong, when all was well, and what others were told of that."""
        row = await self.book.store.of_operation(RUN)
        assert row is not None
        told = (await self.insight.changes(T0 - timedelta(days=1)))[0]
        assert told.facts["event"] == "back"
        return row.failed_at, row.restored_at, told.at


@asynccontextmanager
async def at_a_quarter(database: Database) -> AsyncIterator[tuple[Back, SetClock]]:
    """Slot b carries 25 %, of run-7, whose traffic came at T0."""
    async with standing(BRISK) as (folder, _, site):
        clock, insight = SetClock(), InsightStore(database)
        book = book_in(database)
        await book.begin(RUN, deployment(), T0)
        await book.shifted(RUN, deployment(), 25, T0)
        await site.traffic.shift(25)
        undoing = Undoing(Leases(folder / "leases"), book, clock)
        yield Back(site, folder, undoing, book, insight), clock


async def test_what_took_the_traffic_back_first_is_what_is_told(small: Database) -> None:
    async with at_a_quarter(small) as (back, clock):
        clock.forward(seconds=10)
        await back.judged()
        clock.forward(hours=2)  # the database was away
        told = await back.undo()
        then = T0 + timedelta(seconds=10)
        assert (told["before"], told["at"]) == (75, then.isoformat())
        assert "milliseconds" in told
        assert await back.moments() == (then, then, then)


async def test_nor_does_a_database_that_is_away_make_it_later(small: Database, disk: Disk) -> None:
    async with at_a_quarter(small) as (back, clock):
        disk.read_only = True
        with pytest.raises(StoreUnavailable):
            await back.undo()
        disk.read_only = False
        clock.forward(hours=2)
        told = await back.undo()
        assert (told["before"], told["at"]) == (75, T0.isoformat())
        assert await back.moments() == (T0, T0, T0)


async def test_unless_that_did_not_last(small: Database) -> None:
    async with at_a_quarter(small) as (back, clock):
        clock.forward(seconds=10)
        await back.judged()
        await back.site.traffic.shift(50)  # as a load balancer that was started anew would
        clock.forward(hours=2)
        told = await back.undo()
        now = T0 + timedelta(hours=2, seconds=10)
        assert (told["before"], told["at"]) == (50, now.isoformat())
        assert await back.moments() == (T0 + timedelta(seconds=10), now, now)


@pytest.mark.parametrize("name", [TRAFFIC_BACK, CHECK_BLUE])
async def test_what_the_watchdog_took_back_was_back_then(small: Database, name: str) -> None:
    async with at_a_quarter(small) as (back, clock):
        await back.site.traffic.divert(0)
        then = T0 + timedelta(seconds=30)
        back.rolled(Rolled("run-7", then.isoformat(), 3, 30.2, 25, 0, 1).written())
        clock.forward(hours=2)
        told = await back.undo(name)
        _, restored_at, told_at = await back.moments()
        assert (restored_at, told_at) == (then, then)
        if name == TRAFFIC_BACK:
            assert (await back.moments())[0] == then
            assert told["at"] == then.isoformat()
            assert "milliseconds" not in told  # it was not this that took so long


@pytest.mark.parametrize(
    "content",
    [
        "garbage",
        Rolled("run-7", "yesterday", 3, 30.2, 25, 0, 1).written(),
        Rolled("run-7", "2026-03-01T09:00:30", 3, 30.2, 25, 0, 1).written(),
        Rolled("run-7", T0.isoformat(), 3, 30.2, 25, None, 1).written(),
        Rolled("run-7", (T0 + timedelta(days=1)).isoformat(), 3, 30.2, 25, 0, 1).written(),
    ],
    ids=["garbage", "no moment", "no time zone", "not back yet", "not yet"],
)
async def test_what_cannot_be_read_of_the_watchdog_was_back_now(small: Database, content: str) -> None:
    async with at_a_quarter(small) as (back, clock):
        back.rolled(content)
        clock.forward(hours=2)
        await back.site.traffic.divert(0)
        await back.undo()
        assert await back.moments() == (clock.now, clock.now, clock.now)
