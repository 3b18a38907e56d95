"""Rollbacks to a release that is kept: by one word, whatever is in the way, and past what fails."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from datetime import timedelta

from bot.domain.audit import GUARDIAN
from bot.domain.deploy.record import Outcome
from bot.domain.deploy.rollback import ROLLBACK
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import Click, State
from bot.domain.operations.record import OperationRecord, StepState
from bot.store.database import Database
from bot.tools.releases.health import wait_until_healthy
from messages.operation_facts import OperationRefusedFacts
from tests.engine.deploy.ground import BRISK, Ground, grounded, unwritable
from tests.engine.deploy.releases import child_of, supervisor_of
from tests.engine.deploy.visitors import asking, visitors
from tests.engine.operations.jobs import CHO
from tests.engine.support import SetClock, until

EAGER = replace(BRISK, stages=(100,), dwell=timedelta(seconds=0.3), warm=timedelta(0))
"""To come to a second release soon."""
LOCKING = replace(EAGER, lock_after_rollback=timedelta(hours=1))


def became(over: OperationRecord) -> dict[str, StepState]:
    """What became of each step."""
    return {over.plan.steps[step.number].name: step.state for step in over.steps}


async def deployed(ground: Ground, *revisions: str) -> None:
    """They are deployed one after the other."""
    async with visitors(ground.balancer.url):
        for revision in revisions:
            ground.put(revision)
            over = await ground.over(await ground.begin(revision))
            assert over.state is State.DONE, over.problem


async def test_back_to_the_release_before_which_is_started_again_and_no_request_fails(
    database: Database, clock: SetClock
) -> None:
    async with grounded(database, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        clock.forward(minutes=1)
        async with visitors(ground.balancer.url) as found:
            number = await ground.begin("", ROLLBACK)
            over = await ground.over(number)
            await found.more(20)
        assert (over.state, set(became(over).values())) == (State.DONE, {StepState.DONE})
        assert list(became(over)) == ["journal", "start", "traffic", "still", "drain", "recover"]
        assert found.failures == []
        assert await ground.live() == "v1"
        assert await ground.site.releases.find(Slot.B) is None
        assert ground.balancer.map_file.read_text() == "shop 0\n"
        row, undone = await ground.row(number), await ground.row(1)
        assert (row.revision, row.previous, row.outcome) == ("v1", "v2", Outcome.DONE)
        assert (row.undoes, row.traffic_at, row.restored_at) == (undone.id, clock.now, clock.now)
        slots = await ground.book.store.slots_of("shop", "production")
        assert {slot: each.live_since for slot, each in slots.items()} == {Slot.A: clock.now}
        assert (await ground.changes())[-2:] == [("traffic", "v1"), ("complete", "v1")]


async def test_back_to_one_that_is_still_running_starts_nothing(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        await ground.site.releases.start(Slot.A, "v1", "warm")
        await wait_until_healthy(
            ground.site.address(Slot.A), ground.site.health, lambda: ground.site.releases.find(Slot.A)
        )
        number = await ground.begin("", ROLLBACK)
        over = await ground.over(number)
        assert over.state is State.DONE
        assert "start" not in became(over)
        assert await ground.live() == "v1"


async def test_back_to_an_older_one_and_to_none_that_is_not_kept(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2", "v3")
        refused = await ground.ask("v9", operation=ROLLBACK)
        assert isinstance(refused, OperationRefusedFacts)
        assert refused.problem.reason == "deploy_not_kept"
        assert refused.problem.values["known"] == ["v2", "v1"]
        number = await ground.begin("v1", ROLLBACK)
        over = await ground.over(number)
        assert over.state is State.DONE
        assert await ground.live() == "v1"
        # What a rollback undid is gone back to last.
        assert await ground.book.store.latest("shop", "production", Outcome.DONE) == await ground.row(number)


async def test_while_a_deployment_runs_its_number_is_said_instead(small: Database, clock: SetClock) -> None:
    environment = replace(BRISK, dwell=timedelta(minutes=5))
    async with grounded(small, clock, environment=environment) as ground:
        ground.put("v2")
        number = await ground.begin("v2")
        await ground.reaches_step(number, "shift")
        refused = await ground.ask("", operation=ROLLBACK)
        assert isinstance(refused, OperationRefusedFacts)
        assert (refused.problem.reason, refused.problem.values["id"]) == ("deploy_running", number)
        await ground.carries(25)
        other = await ground.ask("v3")
        assert isinstance(other, OperationRefusedFacts)
        assert (other.problem.reason, other.problem.values) == (
            "deploy_under_way",
            {"id": number, "revision": "v2", "percent": 25},
        )
        socket = ground.folder / "admin.sock"
        socket.rename(ground.folder / "away.sock")
        other = await ground.ask("v3")
        (ground.folder / "away.sock").rename(socket)
        assert isinstance(other, OperationRefusedFacts)
        assert (other.problem.reason, other.problem.values["percent"]) == ("deploy_under_way", None)
        await ground.press(Click.STOP, number)
        assert (await ground.over(number)).state is State.UNDONE


async def test_nothing_to_go_back_to(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        refused = await ground.ask("", operation=ROLLBACK)
        assert isinstance(refused, OperationRefusedFacts)
        assert refused.problem.reason == "deploy_no_release"


async def test_a_target_that_does_not_get_healthy_leaves_production_where_it_is(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        (ground.folder / "releases" / "v1" / "service.py").write_text("raise SystemExit(3)")
        async with visitors(ground.balancer.url) as found:
            number = await ground.begin("", ROLLBACK)
            over = await ground.over(number)
            await found.more(20)
        assert over.state is State.PARTIAL
        states = became(over)
        assert states["journal"] is StepState.DONE
        assert {states[name] for name in ("start", "traffic", "drain", "recover")} == {StepState.FAILED}
        assert found.failures == []
        assert await ground.live() == "v2"
        assert (await ground.row(number)).outcome is Outcome.FAILED
        assert ground.yard.alerts[-1] == (number, State.PARTIAL)
        # What was started in vain is not left to fail on.
        assert await ground.site.releases.find(Slot.A) is None
        assert list(await ground.book.store.slots_of("shop", "production")) == [Slot.B]


async def test_what_was_running_before_is_left_running_though_it_is_unwell(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        ground.put("v1", healthy=False)
        await ground.site.releases.start(Slot.A, "v1", "somebody")
        number = await ground.begin("", ROLLBACK)
        over = await ground.over(number)
        assert over.state is State.PARTIAL
        assert await ground.live() == "v2"
        found = await ground.site.releases.find(Slot.A)
        assert found is not None
        assert found.marker == "somebody"


async def test_back_to_what_is_live_already(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        refused = await ground.ask("v2", operation=ROLLBACK)
        assert isinstance(refused, OperationRefusedFacts)
        assert (refused.problem.reason, refused.problem.values["revision"]) == ("deploy_same", "v2")


async def test_a_map_file_that_cannot_be_written_is_no_reason_to_stay(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        with unwritable(ground.balancer.map_file):
            async with visitors(ground.balancer.url) as found:
                number = await ground.begin("", ROLLBACK)
                over = await ground.over(number)
        assert over.state is State.PARTIAL
        states = became(over)
        assert states.pop("traffic") is StepState.FAILED
        assert set(states.values()) == {StepState.DONE}
        assert over.problem is not None
        assert over.problem.reason == "traffic_file"
        # HAProxy does as it was told, and everything after it was done.
        assert await ground.live() == "v1"
        assert found.failures == []
        assert (await ground.row(number)).outcome is Outcome.DONE


async def test_the_old_release_that_cannot_be_stopped_is_left_and_said(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        ground.releases.fails.add(("stop", Slot.B))
        number = await ground.begin("", ROLLBACK)
        over = await ground.over(number)
        ground.releases.fails.clear()
        states = became(over)
        assert over.state is State.PARTIAL
        assert states.pop("drain") is StepState.FAILED
        assert set(states.values()) == {StepState.DONE}
        assert await ground.live() == "v1"
        assert (await ground.row(number)).outcome is Outcome.DONE


async def test_a_target_that_dies_once_it_has_the_traffic_is_said_at_once(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        # Something that is waited for, so that there is time enough to kill.
        late = asyncio.create_task(asking(f"{ground.balancer.url}?wait=3000"))
        await ground.asked(Slot.B)
        number = await ground.begin("", ROLLBACK)
        await ground.reaches_step(number, "drain")
        for pid in (supervisor_of(ground.folder, Slot.A), child_of(ground.folder, Slot.A)):
            os.kill(pid, signal.SIGKILL)
        over = await ground.over(number)
        assert await late == 200
        assert over.state is State.PARTIAL
        states = became(over)
        assert states.pop("recover") is StepState.FAILED
        assert set(states.values()) == {StepState.DONE}
        assert over.problem is not None
        assert over.problem.reason == "blue_unwell"
        assert ground.yard.alerts[-1] == (number, State.PARTIAL)


async def test_traffic_does_not_go_back_to_a_blue_that_is_gone(small: Database, clock: SetClock) -> None:
    environment = replace(BRISK, dwell=timedelta(minutes=5))
    async with grounded(small, clock, environment=environment) as ground:
        ground.put("v2")
        number = await ground.begin("v2")
        await ground.reaches_step(number, "shift")
        await ground.carries(25)
        for pid in (supervisor_of(ground.folder, Slot.A), child_of(ground.folder, Slot.A)):
            os.kill(pid, signal.SIGKILL)
        await ground.press(Click.STOP, number)
        over = await ground.over(number)
        assert over.state is State.FAILED
        # What answers goes on answering; somebody has to look.
        assert await ground.site.traffic.share() == 25
        green = await ground.site.releases.find(Slot.B)
        assert green is not None
        assert green.alive
        assert ground.yard.alerts == [(number, State.FAILED)]
        assert (await ground.row(number)).outcome is Outcome.FAILED


async def test_it_begins_whatever_lock_freeze_or_queue_there_is_and_locks_afterwards(
    database: Database, clock: SetClock
) -> None:
    async with grounded(database, clock, environment=LOCKING) as ground:
        await deployed(ground, "v2")
        locks = ground.yard.locks
        assert (await locks.lock("production", CHO, timedelta(hours=8), "a look")).outcome == "done"
        waiting = []
        for number in range(3, 8):
            ground.put(f"v{number}")
            waiting.append(await ground.begin(f"v{number}"))
        assert (await locks.freeze("*", CHO, timedelta(hours=8), "a feast")).outcome == "made"
        number = await ground.begin("", ROLLBACK)
        over = await ground.over(number)
        assert over.state is State.DONE
        assert await ground.live() == "v1"
        # The person's lock is the one that holds; what waits waits on.
        (held,) = await locks.held()
        assert (held.subject, held.by, held.run) == ("production", CHO, None)
        for each in waiting:
            assert (await ground.yard.record(each)).state is State.QUEUED


async def test_after_it_the_environment_is_locked_and_the_queue_waits(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=LOCKING) as ground:
        await deployed(ground, "v2")
        number = await ground.begin("", ROLLBACK)
        over = await ground.over(number)
        assert over.state is State.DONE
        (held,) = await ground.yard.locks.held()
        assert (held.subject, held.by) == ("production", GUARDIAN)
        assert held.until is not None
        recovered = over.steps[-1].result
        assert (recovered["environment"], recovered["locked_until"]) == (
            "production",
            held.until.isoformat(),
        )
        ground.put("v3")
        waiting = await ground.begin("v3")
        ground.yard.desk.wake()
        await until(lambda: ground.yard.card(waiting).get("state") == "queued")
        assert (await ground.yard.record(waiting)).started_at is None
        # It ends by itself.
        clock.forward(hours=2)
        ground.yard.desk.wake()
        async with visitors(ground.balancer.url):
            assert (await ground.over(waiting)).state is State.DONE
        assert await ground.live() == "v3"
