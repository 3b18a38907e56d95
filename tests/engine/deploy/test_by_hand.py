"""Somebody changes the share by hand, in the middle of a stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain.deploy.slots import Slot, share_of
from bot.domain.operations.approval import State
from bot.store.database import Database
from tests.engine.deploy.ground import QUICK, grounded
from tests.engine.support import SetClock
from tests.tools.traffic.haproxy import load, until


async def test_whoever_takes_traffic_back_by_hand_is_not_fought(database: Database, clock: SetClock) -> None:
    async with grounded(database, clock, environment=replace(QUICK, dwell=timedelta(hours=1))) as ground:
        ground.put("v2")
        traffic = ground.site.traffic

        async def at_ten() -> bool:
            return share_of(Slot.B, await traffic.share()) == 10

        async with load(ground.balancer.url, 2) as found:
            number = await ground.begin("v2")
            await until(at_ten)
            await traffic.divert(0)
            over = await ground.yard.reaches(number, State.UNDONE, State.FAILED, State.DONE)
        assert (over.state, over.problem and over.problem.reason) == (State.UNDONE, "traffic_moved")
        assert await ground.live() == "v1"
        assert found.failures == []
