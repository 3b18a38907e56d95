"""What a plan is refused for before anything is looked at closely, and what a plan is made of."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import pytest

from bot.domain.deploy.rollback import ROLLBACK
from bot.domain.deploy.slots import Slot
from bot.engine.operations.contract import OperationRefused
from bot.store.database import Database
from messages.operation_facts import OperationAskedFacts, OperationRefusedFacts
from tests.engine.deploy.ground import BRISK, Ground, grounded
from tests.engine.deploy.releases import child_of, supervisor_of
from tests.engine.operations.jobs import BOB
from tests.engine.support import SetClock
from tests.factories import T0
from tests.tools.traffic.haproxy import until


async def refused(
    ground: Ground, revision: str, operation: str = "deploy", **request: str
) -> tuple[str, object]:
    """Why there is no plan: the reason, and its values."""
    asked = await ground.ask(revision, operation=operation, **request)
    assert isinstance(asked, OperationRefusedFacts), asked
    return asked.problem.reason, dict(asked.problem.values)


async def test_what_cannot_be_deployed_is_refused_with_what_can(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        assert await refused(ground, "v2", service="shops") == (
            "deploy_service", {"service": "shops", "known": ["shop"]},
        )  # fmt: skip
        assert await refused(ground, "v2", environment="prod") == (
            "deploy_environment", {"environment": "prod", "service": "shop", "known": ["production"]},
        )  # fmt: skip
        for odd in ("--upload-pack=x", "v2; reboot", "", "v" * 300, "../v1"):
            assert (await refused(ground, odd))[0] == "deploy_revision_odd"
        assert (await refused(ground, "v9"))[0] == "deploy_revision_unknown"
        assert await refused(ground, "v1") == ("deploy_same", {"revision": "v1"})
        assert (await refused(ground, "-x", ROLLBACK))[0] == "deploy_revision_odd"
        ground.put("v2")
        await ground.site.traffic.shift(40)
        assert await refused(ground, "v2") == ("traffic_mixed", {"share": 40})
        await ground.site.traffic.shift(0)
        ground.releases.fails.add(("find", Slot.A))
        assert (await refused(ground, "v2"))[0] == "release_tool"
        ground.releases.fails.clear()
        await ground.balancer.stop()
        assert (await refused(ground, "v2"))[0] == "traffic_gone"
        # Nothing of all that was begun.
        assert await ground.yard.store.latest(10) == []
        assert [revision for _, revision, _ in ground.releases.started] == ["v1"]


async def test_the_only_environment_need_not_be_named(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.put("v2")
        asked = await ground.ask("v2", environment=None)
        assert isinstance(asked, OperationAskedFacts)


async def test_where_nothing_carries_production_all_goes_to_the_new_one_at_once(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.put("v2")
        os.kill(supervisor_of(ground.folder, Slot.A), signal.SIGKILL)
        os.kill(child_of(ground.folder, Slot.A), signal.SIGKILL)

        async def is_gone() -> bool:
            return await ground.site.releases.find(Slot.A) is None

        await until(is_gone)
        asked = await ground.ask("v2")
        assert isinstance(asked, OperationAskedFacts)
        plan = (await ground.yard.record(asked.operation.id)).plan
        names = [step.name for step in plan.steps]
        assert names == ["preflight", "prepare", "green", "verify", "shift", "complete"]
        assert plan.steps[4].params["percent"] == 100
        assert plan.shown["has_blue"] is False


async def test_the_same_facts_give_the_same_plan(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.put("v2")
        request = {"service": "shop", "environment": "production", "revision": "v2"}
        one = await ground.deploy.plan(request, T0)
        assert (await ground.deploy.plan(request, T0)).hash == one.hash
        assert one.subjects == ("production", "production/shop")
        assert one.aside["locked"] is None
        await ground.yard.locks.lock("production", BOB, timedelta(hours=1), "inventory")
        locked = await ground.deploy.plan(request, T0)
        ends = (clock.now + timedelta(hours=1)).isoformat()
        assert locked.aside["locked"] == {
            "subject": "production", "by": BOB, "until": ends, "reason": "inventory",
        }  # fmt: skip
        assert locked.hash == one.hash
        await ground.site.releases.start(Slot.A, "v2", "by hand")
        with pytest.raises(OperationRefused, match="deploy_same"):
            await ground.deploy.plan(request, T0)
