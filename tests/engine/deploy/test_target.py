"""Which release a rollback goes to, and which one it must not take for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain.deploy.record import DeploymentRecord, Kind, Outcome, SlotRecord
from bot.domain.deploy.rollback import ROLLBACK
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import State
from bot.domain.operations.record import StepState
from bot.store.database import Database
from bot.tools.releases.health import wait_until_healthy
from messages.operation_facts import OperationAskedFacts, OperationRefusedFacts
from tests.engine.deploy.ground import EAGER, Ground, garble, grounded
from tests.engine.deploy.visitors import deployed
from tests.engine.operations.jobs import ANN, CHO
from tests.engine.support import SetClock


async def target_of(ground: Ground, release: str = "") -> tuple[object, list[str]]:
    """What a rollback would go to, and the slots that its steps name, in their order."""
    asked = await ground.ask(release, operation=ROLLBACK)
    assert isinstance(asked, OperationAskedFacts), asked
    plan = (await ground.yard.record(asked.operation.id)).plan
    slots = [str(step.params["slot"]) for step in plan.steps if step.name in ("start", "traffic")]
    return plan.shown["target"], slots


async def runs(ground: Ground, slot: Slot, revision: str) -> None:
    """Have that release run there, and wait until it is healthy."""
    site = ground.site
    await site.releases.start(slot, revision, "by hand")
    health = replace(site.health, within=60.0)
    well = await wait_until_healthy(site.address(slot), health, lambda: site.releases.find(slot))
    assert well.healthy, well


async def test_after_a_rollback_the_next_one_goes_further_back_and_not_to_what_was_wrong(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2", "v3")
        assert (await ground.over(await ground.begin("", ROLLBACK))).state is State.DONE
        assert await ground.live() == "v2"
        assert (await target_of(ground))[0] == "v1"
        # It can still be named.
        assert (await target_of(ground, "v3"))[0] == "v3"


async def test_from_traffic_that_is_shared_it_goes_to_what_carried_everything(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        assert await ground.live() == "v2"
        # A canary that nobody could take back: v3 in slot a carries less than v2 in slot b, or more.
        ground.put("v3")
        await runs(ground, Slot.A, "v3")
        for b in (90, 10):
            await ground.site.traffic.shift(b)
            assert await target_of(ground) == ("v2", ["b"])
        over = await ground.over(await ground.begin("", ROLLBACK))
        assert over.state is State.DONE, over.problem
        assert await ground.live() == "v2"


async def test_a_first_canary_that_was_left_lying_is_left_for_what_was_there_before(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        store, now = ground.book.store, clock.now
        # What was there before the first deployment, nobody has written down.
        await store.write(store.emptying("shop", "production", Slot.A))
        ground.put("v2")
        await runs(ground, Slot.B, "v2")
        await store.write(store.placing(SlotRecord("shop", "production", Slot.B, "v2", "run-1", now)))
        left = DeploymentRecord(
            0, 1, "shop", "production", Kind.DEPLOY, "v2", "v1", Slot.B, ANN, now, outcome=Outcome.FAILED
        )
        await store.write(store.adding(left))
        await ground.site.traffic.shift(25)
        assert await target_of(ground) == ("v1", ["a"])


async def test_a_canary_is_left_though_its_driver_cannot_tell_what_runs(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        store = ground.book.store
        await deployed(ground, "v2")
        ground.put("v3")
        await runs(ground, Slot.A, "v3")
        await store.write(store.placing(SlotRecord("shop", "production", Slot.A, "v3", "run-9", clock.now)))
        await ground.site.traffic.shift(75)
        ground.releases.fails |= {("find", slot) for slot in Slot}
        assert await target_of(ground) == ("v2", ["b"])
        over = await ground.over(await ground.begin("", ROLLBACK))
        assert over.state is State.DONE, over.problem
        ground.releases.fails.clear()
        assert await ground.live() == "v2"


async def test_another_release_where_the_target_should_be_gets_no_traffic(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        # v3 runs where v1 is to be started, and is not stopped for it.
        ground.put("v3")
        await runs(ground, Slot.A, "v3")
        ground.releases.fails.add(("start", Slot.A))
        over = await ground.over(await ground.begin("", ROLLBACK))
        assert over.plan.shown["target"] == "v1"
        assert over.state is State.PARTIAL
        became = {over.plan.steps[step.number].name: step.state for step in over.steps}
        assert became["traffic"] is StepState.FAILED
        assert await ground.live() == "v2"


async def test_a_persons_lock_on_the_very_place_keeps_no_rollback_waiting(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        locks = ground.yard.locks
        assert (await locks.lock("production/shop", CHO, timedelta(hours=8), "a look")).outcome == "done"
        over = await ground.over(await ground.begin("", ROLLBACK))
        assert over.state is State.DONE, over.problem
        assert await ground.live() == "v1"
        assert await locks.held() == ()


async def test_where_nobody_can_tell_what_carries_anything_the_book_says_what_to_leave(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        await runs(ground, Slot.A, "v1")
        ground.put("v3")
        await garble(ground.balancer.configuration)
        asked = await ground.ask("v3")
        assert isinstance(asked, OperationRefusedFacts)
        assert asked.problem.reason == "traffic_unreadable"
        assert await target_of(ground) == ("v1", ["a"])
        over = await ground.over(await ground.begin("", ROLLBACK))
        assert over.state is State.DONE, over.problem
        assert await ground.live() == "v1"


async def test_then_a_canary_that_was_left_lying_is_left_too(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        store = ground.book.store
        await deployed(ground, "v2")
        ground.put("v3")
        await runs(ground, Slot.A, "v3")
        clock.forward(seconds=60)
        await store.write(store.placing(SlotRecord("shop", "production", Slot.A, "v3", "run-9", clock.now)))
        await garble(ground.balancer.configuration)
        assert await target_of(ground) == ("v2", ["b"])
