"""The way back of a deployment where nothing can be moved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.deploy.measures import Counters, Latencies
from bot.domain.deploy.plan import CHECK_BLUE, STOP_GREEN, TRAFFIC_BACK
from bot.domain.deploy.slots import Slot
from bot.engine.deploy.book import DeployBook
from bot.engine.deploy.leases import Leases
from bot.engine.deploy.undoing import Undoing
from bot.engine.operations.contract import StepFailed
from bot.engine.operations.live import LiveWork
from bot.store.database import Database
from bot.store.deployments import DeploymentStore
from bot.store.insight import InsightStore
from bot.store.operations import OperationStore
from bot.tools.traffic.contract import TrafficFailed
from tests.engine.deploy.ground import BRISK, standing
from tests.engine.deploy.test_book import deployment
from tests.engine.support import SetClock


class Away:
    """A load balancer that is not there."""

    def __init__(self) -> None:
        self.asked = 0

    async def share(self) -> int:
        self.asked += 1
        raise TrafficFailed("traffic_gone", "no such socket")

    async def shift(self, b: int) -> None:
        raise AssertionError

    async def divert(self, b: int) -> None:
        raise AssertionError

    async def counters(self, slot: Slot) -> Counters:
        raise AssertionError

    async def latencies(self, slot: Slot) -> Latencies | None:
        raise AssertionError

    async def in_flight(self, slot: Slot) -> int:
        raise AssertionError

    async def cut(self, slot: Slot) -> int:
        raise AssertionError


async def test_a_load_balancer_that_stays_away_is_waited_for_once_a_run(
    small: Database, clock: SetClock
) -> None:
    async with standing(BRISK) as (folder, _, site):
        insight = InsightStore(small)
        book = DeployBook(
            DeploymentStore(small), OperationStore(small), insight.adding_change, insight.changes
        )
        undoing, away = Undoing(Leases(folder / "leases"), book, clock), Away()
        gone = replace(site, traffic=away, patience=1.0)

        async def asked(run: int, name: str) -> int:
            """How often it was asked until that was given up."""
            before = away.asked
            work = LiveWork(run, 1, 0, lambda name, text: None)
            with pytest.raises(StepFailed, match="traffic_gone"):
                await undoing.undo(gone, deployment(), name, work)
            return away.asked - before

        assert await asked(7, TRAFFIC_BACK) > 1
        assert [await asked(7, name) for name in (TRAFFIC_BACK, STOP_GREEN, CHECK_BLUE)] == [1, 1, 1]
        assert await asked(8, TRAFFIC_BACK) > 1


async def test_traffic_that_somebody_shares_before_anything_is_begun_is_left_as_it_is(
    small: Database, clock: SetClock
) -> None:
    async with standing(BRISK) as (folder, _, site):
        insight = InsightStore(small)
        book = DeployBook(
            DeploymentStore(small), OperationStore(small), insight.adding_change, insight.changes
        )
        undoing = Undoing(Leases(folder / "leases"), book, clock)
        await site.traffic.shift(40)
        work = LiveWork(7, 1, 0, lambda name, text: None)
        assert await undoing.undo(site, deployment(), CHECK_BLUE, work) == {"as_found": 60}
        # One that has begun cannot say so.
        await book.begin(7, deployment(), clock())
        with pytest.raises(StepFailed, match="traffic_not_moved") as failed:
            await undoing.undo(site, deployment(), CHECK_BLUE, work)
        assert failed.value.values["share"] == 60
