"""Deployments through a real HAProxy: good ones, bad ones, and what people do meanwhile."""

from __future__ import annotations

from bot.domain.operations.approval import State
from bot.domain.operations.record import StepState
from bot.store.database import Database
from tests.engine.deploy.ground import grounded
from tests.engine.support import SetClock
from tests.tools.traffic.haproxy import load


async def test_a_good_release_comes_to_carry_everything_and_no_request_fails(
    database: Database, clock: SetClock
) -> None:
    async with grounded(database, clock) as ground:
        ground.put("v2")
        async with load(ground.balancer.url, 4) as found:
            number = await ground.begin("v2")
            done = await ground.yard.reaches(number, State.DONE, State.UNDONE, State.FAILED, State.PARTIAL)
        assert done.state is State.DONE
        assert [step.state for step in done.steps] == [StepState.DONE] * len(done.plan.steps)
        assert await ground.live() == "v2"
        assert found.failures == []
        assert found.answers["v1"] and found.answers["v2"]


async def test_a_release_that_fails_goes_back_by_itself(database: Database, clock: SetClock) -> None:
    async with grounded(database, clock) as ground:
        ground.put("v3", errors=20)
        async with load(ground.balancer.url, 4):
            number = await ground.begin("v3")
            done = await ground.yard.reaches(number, State.DONE, State.UNDONE, State.FAILED, State.PARTIAL)
        assert done.state is State.UNDONE
        assert await ground.live() == "v1"
