"""Rollbacks to a release that is kept: by one word, whatever is in the way, and past what fails."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import cast

from bot.domain.audit import GUARDIAN
from bot.domain.deploy.record import Outcome
from bot.domain.deploy.rollback import ROLLBACK
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import Click, State
from bot.domain.operations.record import OperationRecord, StepState
from bot.engine.deploy.site import Site
from bot.store.database import Database
from bot.tools.releases.health import wait_until_healthy
from bot.tools.traffic.drivers import Divertible
from messages.operation_facts import OperationAskedFacts, OperationRefusedFacts
from tests.engine.deploy.ground import BRISK, EAGER, Ground, grounded, unwritable
from tests.engine.deploy.releases import child_of, supervisor_of
from tests.engine.deploy.visitors import asking, deployed, visitors
from tests.engine.operations.jobs import CHO
from tests.engine.support import Disk, SetClock, until

LOCKING = replace(EAGER, lock_after_rollback=timedelta(hours=1))


def became(over: OperationRecord) -> dict[str, StepState]:
    """What became of each step."""
    return {over.plan.steps[step.number].name: step.state for step in over.steps}


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


async def test_traffic_is_not_sent_to_nobody_though_the_present_release_is_unwell(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        (ground.folder / "releases" / "v1" / "service.py").write_text("raise SystemExit(3)")
        ground.put("v2", healthy=False)  # it goes on answering, and is why somebody wants to go back
        async with visitors(ground.balancer.url) as found:
            number = await ground.begin("", ROLLBACK)
            over = await ground.over(number)
            await found.more(20)
        assert over.state is State.PARTIAL
        assert became(over)["traffic"] is StepState.FAILED
        assert found.failures == []
        assert await ground.live() == "v2"
        assert ground.yard.alerts[-1] == (number, State.PARTIAL)


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


class Then:
    """Real traffic, and something that happens as soon as it has been diverted for the first time."""

    def __init__(self, real: Divertible, happens: Callable[[], None]) -> None:
        self._real = real
        self._happens: Callable[[], None] | None = happens

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    async def divert(self, b: int) -> None:
        """Divert it, and let it happen."""
        await self._real.divert(b)
        if self._happens is not None:
            self._happens()
        self._happens = None


async def test_a_target_that_has_the_traffic_is_not_stopped_when_the_step_is_done_once_more(
    small: Database, clock: SetClock, disk: Disk
) -> None:
    made: list[Ground] = []

    def unwell_and_unwritten() -> None:
        made[0].put("v1", healthy=False)
        disk.read_only = True
        asyncio.get_running_loop().call_later(0.5, setattr, disk, "read_only", False)

    def tuned(site: Site) -> Site:
        return replace(site, traffic=cast(Divertible, Then(site.traffic, unwell_and_unwritten)))

    async with grounded(small, clock, environment=EAGER, tuned=tuned) as ground:
        made.append(ground)
        await deployed(ground, "v2")
        number = await ground.begin("", ROLLBACK)
        await ground.reaches_step(number, "still")
        ground.put("v1")
        over = await ground.over(number)
        assert (over.state, set(became(over).values())) == (State.DONE, {StepState.DONE})
        assert await ground.live() == "v1"


async def test_the_release_that_has_crashed_is_gone_back_from_and_not_to(
    database: Database, clock: SetClock
) -> None:
    async with grounded(database, clock, environment=EAGER) as ground:
        await deployed(ground, "v2")
        for pid in (supervisor_of(ground.folder, Slot.B), child_of(ground.folder, Slot.B)):
            os.kill(pid, signal.SIGKILL)
        while await ground.site.releases.find(Slot.B) is not None:  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0.01)
        number = await ground.begin("", ROLLBACK)
        plan = (await ground.yard.record(number)).plan
        assert (plan.shown["target"], plan.shown["current"]) == ("v1", "v2")
        assert (await ground.over(number)).state is State.DONE
        assert await ground.live() == "v1"
        assert (await ground.row(number)).undoes == (await ground.row(1)).id


async def test_nobody_stops_a_rollback_half_way(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=EAGER) as ground:
        ground.yard.needs = replace(ground.yard.needs, stop=None)
        await deployed(ground, "v2")
        late = asyncio.create_task(asking(f"{ground.balancer.url}?wait=3000"))
        await ground.asked(Slot.B)
        number = await ground.begin("", ROLLBACK)
        await ground.reaches_step(number, "drain")
        record = await ground.yard.record(number)
        clicked = await ground.yard.desk.press(Click.STOP, number, record.plan_hash, CHO)
        assert clicked is not None
        assert clicked.verdict == "stale"
        assert (await ground.over(number)).state is State.DONE
        assert await late == 200


async def test_while_another_service_is_deployed_there_the_service_alone_is_locked_after_it(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=LOCKING) as ground:
        await deployed(ground, "v2")
        await ground.yard.locks.lock("production", CHO, timedelta(minutes=2), "a look")
        number = await ground.begin("", ROLLBACK)
        over = await ground.over(number)
        recovered = over.steps[-1].result
        held = {lock.subject: lock.until for lock in await ground.yard.locks.held() if lock.by == GUARDIAN}
        assert held == {"production/shop": clock.now + timedelta(hours=1)}
        assert recovered["environment"] == "production/shop"
        asked = await ground.ask("v2")
        assert isinstance(asked, OperationAskedFacts)
        locked = asked.operation.aside["locked"]
        assert isinstance(locked, dict)
        assert locked["subject"] in ("production", "production/shop")


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
    async with grounded(small, clock, environment=replace(EAGER, drain=timedelta(minutes=1))) as ground:
        await deployed(ground, "v2")
        # Something that is waited for, so that there is time enough to kill.
        late = asyncio.create_task(asking(f"{ground.balancer.url}?wait=8000"))
        await ground.asked(Slot.B)
        number = await ground.begin("", ROLLBACK)
        await ground.reaches_step(number, "drain")
        for pid in (supervisor_of(ground.folder, Slot.A), child_of(ground.folder, Slot.A)):
            os.kill(pid, signal.SIGKILL)
        over = await ground.over(number)
        assert await late == 200
        assert over.state is State.PARTIAL
        states = became(over)
        assert {states.pop(name) for name in ("drain", "recover")} == {StepState.FAILED}
        assert set(states.values()) == {StepState.DONE}
        # What was there before is left running: somebody may want it back.
        assert over.problem is not None
        assert over.problem.reason == "target_silent"
        old = await ground.site.releases.find(Slot.B)
        assert old is not None
        assert old.alive
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
        # The person's lock still holds, and when they lift it the service's own does; what waits waits on.
        held = {each.subject: (each.by, each.run) for each in await locks.held()}
        assert held == {"production": (CHO, None), "production/shop": (GUARDIAN, None)}
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
