"""Deployments through a real HAProxy: good ones, and ones that turn out bad in traffic."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deploy.record import Outcome
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import Click, State
from bot.domain.operations.record import OperationRecord, StepState
from bot.store.database import Database
from tests.engine.deploy.ground import BRISK, Ground, grounded
from tests.engine.deploy.releases import child_of, supervisor_of
from tests.engine.deploy.visitors import asking, visitors
from tests.engine.support import SetClock, until
from tests.factories import T0


def states(record: OperationRecord) -> set[StepState]:
    """What became of its steps."""
    return {step.state for step in record.steps}


def problem(record: OperationRecord) -> tuple[str, tuple[str, ...]]:
    """Why it went back: the reason, and what the judge found."""
    assert record.problem is not None
    faults = record.problem.values.get("faults", [])
    assert isinstance(faults, list)
    return record.problem.reason, tuple(str(each["name"]) for each in faults if isinstance(each, dict))


def lines(ground: Ground, number: int) -> list[str]:
    """What was said in its thread, but for how it goes on: that depends on how much comes to be judged by."""
    return [what for what in ground.yard.thread(number) if what != "call"]


async def is_back(ground: Ground, number: int, *, moved: bool = True, came_to: str = "traffic") -> None:
    """Everything is as it was before. `came_to`: the last that was told of it before it went back."""
    assert await ground.live() == "v1"
    assert await ground.site.releases.find(Slot.B) is None
    blue = await ground.site.releases.find(Slot.A)
    assert blue is not None
    assert blue.alive
    assert ground.balancer.map_file.read_text() == "shop 0\n"
    slots = await ground.book.store.slots_of("shop", "production")
    assert {slot: each.revision for slot, each in slots.items()} == {Slot.A: "v1"}
    assert slots[Slot.A].live_since is not None
    if moved:
        row = await ground.row(number)
        assert row.outcome is Outcome.ROLLED_BACK
        assert row.traffic_at is not None and row.failed_at is not None and row.restored_at is not None
        assert row.traffic_at <= row.failed_at <= row.restored_at
        assert (await ground.changes())[-2:] == [(came_to, row.revision), ("back", row.revision)]
    assert await ground.yard.locks.held() == ()


async def test_good_releases_come_to_carry_everything_and_no_request_fails(
    database: Database, clock: SetClock
) -> None:
    async with grounded(database, clock, environment=BRISK) as ground:
        async with visitors(ground.balancer.url) as found:
            for revision, slot in (("v2", Slot.B), ("v3", Slot.A)):
                ground.put(revision)
                number = await ground.begin(revision)
                done = await ground.over(number)
                assert (done.state, states(done)) == (State.DONE, {StepState.DONE}), done.problem
                assert await ground.live() == revision
                live = await ground.site.releases.find(slot)
                assert live is not None
                assert (live.revision, live.marker) == (revision, f"run-{number}")
                assert await ground.site.releases.find(slot.other) is None
                row = await ground.row(number)
                assert (row.outcome, row.slot, row.asked_by, row.decided_by) == (
                    Outcome.DONE, slot, done.asked_by, done.decided_by,
                )  # fmt: skip
                assert (row.failed_at, row.restored_at, row.traffic_at) == (None, None, T0)
                assert (row.requests or 0) >= 149
                assert row.errors == 0
                slots = await ground.book.store.slots_of("shop", "production")
                assert {each: known.live_since for each, known in slots.items()} == {slot: T0}
        assert found.failures == []
        assert found.answers["v1"] and found.answers["v2"] and found.answers["v3"]
        assert list(dict.fromkeys(await ground.changes())) == [
            (event, revision) for revision in ("v2", "v3") for event in ("traffic", "complete")
        ]
        await until(lambda: ground.yard.thread(2)[-1:] == ["end"])
        assert lines(ground, 2) == ["approve", "start", "end"]
        assert ground.yard.card(2)["state"] == "done"
        assert ground.yard.alerts == [(1, State.DONE), (2, State.DONE)]


@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [({"errors": 20}, "error"), ({"slow": 10, "slow_ms": 800}, "response")],
    ids=["errors", "slow"],
)
async def test_a_release_that_is_bad_in_traffic_goes_back_by_itself(
    small: Database, clock: SetClock, behaviour: dict[str, int], fault: str
) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.put("v2", **behaviour)
        async with visitors(ground.balancer.url) as found:
            number = await ground.begin("v2")
            over = await ground.over(number)
            assert over.state is State.UNDONE
            await found.more(50)
        reason, faults = problem(over)
        assert reason == "judged"
        assert any(each.startswith(fault) for each in faults)
        # What failed it failed itself: nothing was cut off on the way back.
        assert set(found.failures) <= {"500 v2"}
        await is_back(ground, number)
        row = await ground.row(number)
        assert (row.requests or 0) > 0
        assert (row.errors or 0) > 0 or fault == "response"
        assert ground.yard.alerts == [(number, State.UNDONE)]
        await until(lambda: ground.yard.thread(number)[-1:] == ["end"])
        assert lines(ground, number) == ["approve", "start", "end"]


KILLED: dict[str, Callable[[Ground], list[int]]] = {
    "child": lambda ground: [child_of(ground.folder, Slot.B)],
    "supervisor": lambda ground: [supervisor_of(ground.folder, Slot.B), child_of(ground.folder, Slot.B)],
}


@pytest.mark.parametrize("who", KILLED)
async def test_a_release_that_is_killed_at_half_the_traffic_goes_back(
    small: Database, clock: SetClock, who: str
) -> None:
    # It would take longer than the test may to come to the end of that stage.
    environment = replace(BRISK, stages=(50, 100), dwell=timedelta(minutes=5))
    async with grounded(small, clock, environment=environment) as ground:
        ground.put("v2")
        async with visitors(ground.balancer.url) as found:
            number = await ground.begin("v2")
            await until(lambda: found.answers["v2"] > 20)
            pids = KILLED[who](ground)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            over = await ground.over(number)
            await found.more(50)
        assert over.state is State.UNDONE
        assert problem(over)[0] == "judged"
        await is_back(ground, number)
        # HAProxy asks the other slot what a dead one does not answer; what was under way is lost.
        assert len(found.failures) < 20


@pytest.mark.parametrize("fault", ["killed", "errors"])
async def test_a_release_that_turns_bad_while_blue_is_kept_warm_goes_back(
    small: Database, clock: SetClock, fault: str
) -> None:
    environment = replace(BRISK, stages=(100,), warm=timedelta(minutes=30))
    async with grounded(small, clock, environment=environment) as ground:
        ground.put("v2", **({"errors": 4, "good": 2000} if fault == "errors" else {}))
        async with visitors(ground.balancer.url) as found:
            number = await ground.begin("v2")
            await ground.reaches_step(number, "warm")
            assert (await ground.changes())[-1] == ("complete", "v2")
            if fault == "killed":
                for pid in KILLED["supervisor"](ground):
                    os.kill(pid, signal.SIGKILL)
            over = await ground.over(number)
            await found.more(50)
        assert over.state is State.UNDONE
        reason, faults = problem(over)
        assert reason == "judged"
        assert "error_rate" in faults or fault == "killed"
        assert [over.plan.steps[each.number].name for each in over.steps if each.problem] == ["warm"]
        await is_back(ground, number, came_to="complete")
        assert found.answers["v1"]


async def test_a_release_that_dies_of_its_traffic_goes_back(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.put("v2", dies_after=40)
        async with visitors(ground.balancer.url):
            number = await ground.begin("v2")
            over = await ground.over(number)
        assert over.state is State.UNDONE
        assert problem(over)[0] == "judged"
        await is_back(ground, number)


async def test_slow_requests_of_a_release_that_goes_back_are_waited_for(
    small: Database, clock: SetClock
) -> None:
    # One of them ends every quarter of a second, after the last of them has begun: as if more were coming.
    environment = replace(BRISK, stages=(100,), dwell=timedelta(minutes=5), drain=timedelta(seconds=10))
    async with grounded(small, clock, environment=environment) as ground:
        ground.put("v2", slow=1, slow_ms=4000)
        async with visitors(ground.balancer.url, 1) as found:
            number = await ground.begin("v2")
            await until(lambda: found.total > 0)
            await ground.reaches_step(number, "shift")
            late = []
            for _ in range(15):
                late.append(asyncio.create_task(asking(ground.balancer.url)))
                await asyncio.sleep(0.25)
            await ground.press(Click.STOP, number)
            over = await ground.over(number)
            assert await asyncio.gather(*late) == [200] * len(late)
        assert over.state is State.UNDONE
        assert found.failures == []
        await is_back(ground, number)
