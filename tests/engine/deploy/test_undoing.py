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


async def test_a_load_balancer_that_stays_away_is_waited_for_once_a_run(
    small: Database, clock: SetClock
) -> None:
    async with standing(BRISK) as (folder, _, site):
        book = DeployBook(DeploymentStore(small), OperationStore(small), InsightStore(small).adding_change)
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
