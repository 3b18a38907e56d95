"""Several deployments: in two environments at once, and one after the other in one."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta

from bot.domain.deploy.checks import ByCommand, Trial, TrialRule
from bot.domain.deploy.rollback import ROLLBACK
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import Click, State
from bot.domain.operations.locks import Lock
from bot.store.database import Database
from messages.operation_facts import OperationAskedFacts, OperationRefusedFacts
from tests.engine.deploy.ground import BRISK, EAGER, deployed_by, grounded, standing
from tests.engine.deploy.visitors import deployed, visitors
from tests.engine.operations.jobs import BOB, CHO
from tests.engine.support import SetClock

LONG = replace(BRISK, dwell=timedelta(minutes=5))
NO = ByCommand((sys.executable, "-c", "raise SystemExit(1)"), timedelta(minutes=1))


async def test_two_environments_at_once_do_not_wait_for_each_other(
    database: Database, clock: SetClock
) -> None:
    async with (
        standing(LONG) as (folder, balancer, site),
        standing(replace(LONG, name="staging")) as (beside, other, staging),
        deployed_by(database, clock, folder, balancer, site, more=[staging]) as ground,
    ):
        ground.put("v2")
        (beside / "releases" / "v2").symlink_to(folder / "releases" / "v2")
        async with visitors(balancer.url, 3) as found, visitors(other.url, 3) as there:
            first = await ground.begin("v2")
            asked = await ground.ask("v2", environment="staging")
            assert isinstance(asked, OperationAskedFacts), asked
            second = asked.operation.id
            await ground.press(Click.APPROVE, second)
            for number in (first, second):
                await ground.reaches_step(number, "shift")
            # Both are under way; what one does leaves the other alone.
            assert {(await ground.yard.record(each)).state for each in (first, second)} == {State.RUNNING}
            refused = await ground.ask("", operation=ROLLBACK, environment="staging")
            assert isinstance(refused, OperationRefusedFacts)
            assert refused.problem.values["id"] == second
            await ground.press(Click.STOP, second)
            assert (await ground.over(second)).state is State.UNDONE
            assert (await ground.yard.record(first)).state is State.RUNNING
            assert await staging.traffic.share() == 0
            await ground.carries(25)
            await ground.press(Click.STOP, first)
            assert (await ground.over(first)).state is State.UNDONE
        assert (found.failures, there.failures) == ([], [])
        assert set(there.answers) <= {"v1", "v2"}
        slots = await ground.book.store.slots_of("shop", "staging")
        assert set(slots) == {Slot.A}


async def test_five_that_wait_start_one_after_the_other_in_the_order_of_their_approval(
    database: Database, clock: SetClock
) -> None:
    # None of them passes its tests, so that what was approved for the next still is as it was.
    trials: dict[Trial, TrialRule] = {Trial.SMOKE: NO}
    async with grounded(database, clock, environment=BRISK, trials=trials) as ground:
        await ground.yard.locks.lock("production", CHO, timedelta(hours=1), "a look")
        numbers = []
        for revision in ("v6", "v3", "v5", "v2", "v4"):
            ground.put(revision)
            numbers.append(await ground.begin(revision))
        for place, number in enumerate(numbers, start=1):
            await ground.yard.reaches(number, State.QUEUED)
            facts = await ground.yard.desk.one(number)
            assert facts is not None
            assert facts.place == place
        await ground.yard.locks.unlock("production", CHO)
        for number in numbers:
            assert (await ground.over(number)).state is State.UNDONE
        started = [revision for slot, revision, _ in ground.releases.started if slot is Slot.B]
        assert started == ["v6", "v3", "v5", "v2", "v4"]
        assert await ground.live() == "v1"
        assert await ground.site.releases.find(Slot.B) is None


async def test_those_behind_one_that_was_done_are_refused_for_they_were_approved_for_another_release(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        await ground.yard.locks.lock("production", CHO, timedelta(hours=1), "a look")
        numbers = []
        for revision in ("v2", "v3"):
            ground.put(revision)
            numbers.append(await ground.begin(revision))
        await ground.yard.locks.unlock("production", CHO)
        async with visitors(ground.balancer.url):
            assert (await ground.over(numbers[0])).state is State.DONE
            assert (await ground.over(numbers[1])).state is State.CHANGED
        assert await ground.live() == "v2"


async def test_a_rollback_goes_past_the_queue(small: Database, clock: SetClock) -> None:
    environment = replace(BRISK, stages=(100,), warm=timedelta(0))
    async with grounded(small, clock, environment=environment) as ground:
        async with visitors(ground.balancer.url):
            ground.put("v2")
            assert (await ground.over(await ground.begin("v2"))).state is State.DONE
            await ground.yard.locks.lock("production", CHO, timedelta(hours=1), "a look")
            waiting = []
            for revision in ("v3", "v4", "v5"):
                ground.put(revision)
                waiting.append(await ground.begin(revision))
            number = await ground.begin("", ROLLBACK, BOB)
            assert (await ground.over(number)).state is State.DONE
            assert await ground.live() == "v1"
            for each in waiting:
                assert (await ground.yard.record(each)).state is State.QUEUED
            await ground.yard.locks.unlock("production", CHO)
            # They were approved for production as it was before the rollback.
            for each in waiting:
                assert (await ground.over(each)).state is State.CHANGED
        assert await ground.live() == "v1"


async def test_a_rollback_that_was_asked_for_before_a_deployment_began_stops_it(
    database: Database, clock: SetClock
) -> None:
    async with grounded(database, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        asked = await ground.ask("", operation=ROLLBACK)
        assert isinstance(asked, OperationAskedFacts)
        back = asked.operation.id
        ground.put("v3")
        number = await ground.begin("v3")
        await ground.reaches_step(number, "shift")  # there it stays: without visitors nothing can be judged
        await ground.press(Click.APPROVE, back)
        over = await ground.over(back)
        stopped = await ground.yard.record(number)
        assert (stopped.state, stopped.stopped_by) == (State.UNDONE, BOB)
        assert over.state is State.DONE, over.problem
        assert await ground.live() == "v1"


async def test_a_rollback_does_not_stop_what_deploys_another_service(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        # Somebody else's run holds the environment, and not this service in it.
        held = Lock("production", 0, CHO, clock.now, 99)
        await ground.yard.store.write(ground.yard.locks.store.taking(held))
        number = await ground.begin("", ROLLBACK, BOB)
        assert (await ground.over(number)).state is State.DONE
        assert await ground.live() == "v1"
        assert [each.run for each in await ground.yard.locks.held()] == [99]
