"""Steps that people guide: held where they are, let go on, and heard; on each kind of database."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.operations.approval import Click, State
from bot.domain.operations.locks import Lock
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.domain.operations.record import OperationRecord
from bot.engine.operations.contract import Stopped, Work
from bot.store.database import Database
from messages.operation_facts import OperationAskedFacts
from tests.engine.operations.jobs import ANN, BOB, Yard, open_yard
from tests.engine.support import SetClock, until


class Road:
    """An operation whose one step goes on when somebody lets it, and says where it is."""

    name = "road"

    def __init__(self) -> None:
        self.seen: list[str | None] = []
        self.work: Work | None = None

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        touches = [str(each) for each in str(request.get("touches", "")).split()]
        return Plan(self.name, str(request["to"]), at, (Step("walk", {}, "back"),), touches=tuple(touches))

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        self.work, guided = work, work.guided
        while not guided.let_go_by or guided.held_by is not None:
            self.seen.append(guided.held_by)
            controls = ["go", "stop"] if guided.held_by else ["hold", "go", "stop"]
            guided.tell({"held": guided.held_by}, controls)
            await guided.wait(60)
            if work.stopping:
                raise Stopped
        return {"by": guided.let_go_by[-1]}

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        return {}


@pytest.fixture
def road() -> Road:
    """The operation."""
    return Road()


async def begun(yard: Yard, to: str = "rome", **request: str) -> int:
    """An approved one."""
    asked = await yard.desk.ask("road", {"to": to, **request}, ANN)
    assert isinstance(asked, OperationAskedFacts), asked
    clicked = await yard.desk.press(Click.APPROVE, asked.operation.id, asked.operation.plan_hash, BOB)
    assert clicked is not None
    assert clicked.verdict == "taken"
    return asked.operation.id


async def pressed(yard: Yard, click: Click, number: int, by: str) -> str:
    """What became of a click."""
    record = await yard.record(number)
    clicked = await yard.desk.press(click, number, record.plan_hash, by)
    assert clicked is not None
    return clicked.verdict


async def test_it_stays_where_it_is_until_somebody_who_may_approve_lets_it_go_on(
    database: Database, tmp_path: Path, clock: SetClock, road: Road
) -> None:
    async with open_yard(database, tmp_path / "chest", clock, operations={"road": road}) as yard:
        number = await begun(yard)
        await until(lambda: road.seen == [None])
        assert await pressed(yard, Click.HOLD, number, ANN) == "taken"
        await until(lambda: road.seen == [None, ANN])
        assert (await yard.record(number)).held_by == ANN
        await until(lambda: yard.card(number).get("held_by") == ANN)
        assert await pressed(yard, Click.HOLD, number, BOB) == "stale"
        assert await pressed(yard, Click.GO, number, ANN) == "not_allowed"
        assert await pressed(yard, Click.GO, number, BOB) == "taken"
        done = await yard.reaches(number, State.DONE)
        assert done.held_by is None
        assert done.steps[0].result == {"by": BOB}
        await until(lambda: yard.thread(number) == ["approve", "start", "hold", "go", "end"])


async def test_who_wants_to_stop_what_cannot_be_stopped_any_more_is_told_so(
    database: Database, tmp_path: Path, clock: SetClock, road: Road
) -> None:
    async with open_yard(database, tmp_path / "chest", clock, operations={"road": road}) as yard:
        number = await begun(yard)
        await until(lambda: road.work is not None)
        assert road.work is not None
        road.work.past_return()
        assert await pressed(yard, Click.STOP, number, ANN) == "stale"
        assert not road.work.stopping
        assert await pressed(yard, Click.GO, number, BOB) == "taken"
        done = await yard.reaches(number, State.DONE)
        assert done.stopped_by is None


async def test_what_could_not_be_stopped_cannot_be_while_its_end_is_written_down_either(
    database: Database, tmp_path: Path, clock: SetClock, road: Road
) -> None:
    ending, may_end = asyncio.Event(), asyncio.Event()

    async def ended(over: OperationRecord) -> None:
        ending.set()
        await may_end.wait()

    async with open_yard(database, tmp_path / "chest", clock, operations={"road": road}, ended=ended) as yard:
        number = await begun(yard)
        await until(lambda: road.work is not None)
        assert road.work is not None
        road.work.past_return()
        assert await pressed(yard, Click.GO, number, BOB) == "taken"
        await ending.wait()
        assert await pressed(yard, Click.STOP, number, ANN) == "stale"
        may_end.set()
        done = await yard.reaches(number, State.DONE)
        assert done.stopped_by is None


async def test_the_card_shows_what_the_step_says_and_the_buttons_that_it_offers(
    database: Database, tmp_path: Path, clock: SetClock, road: Road
) -> None:
    async with open_yard(database, tmp_path / "chest", clock, operations={"road": road}) as yard:
        number = await begun(yard)

        def shown() -> object:
            progress = yard.card(number).get("progress")
            return progress.get("controls") if isinstance(progress, dict) else None

        await until(lambda: shown() == ["hold", "go", "stop"])
        await pressed(yard, Click.HOLD, number, ANN)
        await until(lambda: shown() == ["go", "stop"])


async def test_one_that_is_held_is_held_when_it_is_begun_again_after_a_crash(
    database: Database, tmp_path: Path, clock: SetClock, road: Road
) -> None:
    async with open_yard(database, tmp_path / "chest", clock, operations={"road": road}) as yard:
        number = await begun(yard)
        await until(lambda: road.seen == [None])
        await pressed(yard, Click.HOLD, number, ANN)
        await until(lambda: road.seen == [None, ANN])
    again = Road()
    async with open_yard(database, tmp_path / "chest", clock, operations={"road": again}) as yard:
        await until(lambda: again.seen[:1] == [ANN])
        assert await pressed(yard, Click.GO, number, BOB) == "taken"
        assert (await yard.reaches(number, State.DONE)).steps[0].result == {"by": BOB}


async def test_what_is_held_can_be_stopped(
    database: Database, tmp_path: Path, clock: SetClock, road: Road
) -> None:
    async with open_yard(database, tmp_path / "chest", clock, operations={"road": road}) as yard:
        number = await begun(yard)
        await until(lambda: road.seen == [None])
        await pressed(yard, Click.HOLD, number, ANN)
        assert await pressed(yard, Click.STOP, number, ANN) == "taken"
        assert (await yard.reaches(number, State.UNDONE)).stopped_by == ANN
        assert await pressed(yard, Click.GO, number, BOB) == "stale"


async def test_a_step_calls_those_who_asked_and_approved_where_the_channel_sees_it(
    database: Database, tmp_path: Path, clock: SetClock, road: Road
) -> None:
    async with open_yard(database, tmp_path / "chest", clock, operations={"road": road}) as yard:
        number = await begun(yard)
        await until(lambda: road.work is not None)
        assert road.work is not None
        road.work.guided.call("ask", {"share": 10})
        await until(lambda: "call" in yard.thread(number))
        called = next(each.letter for each in yard.slack.messages if each.letter.facts.get("what") == "call")
        assert called.broadcast
        assert (called.facts["call"], called.facts["detail"]) == ("ask", {"share": 10})


async def test_runs_that_share_a_subject_wait_for_each_other_and_others_do_not(
    database: Database, tmp_path: Path, clock: SetClock, road: Road
) -> None:
    async with open_yard(database, tmp_path / "chest", clock, operations={"road": road}) as yard:
        first = await begun(yard, "production", touches="production/shop")
        await yard.reaches(first, State.RUNNING)
        shares = await begun(yard, "production/shop")
        other = await begun(yard, "production/billing")
        await yard.reaches(other, State.RUNNING)
        assert (await yard.record(shares)).state is State.QUEUED
        held = {lock.subject: lock.run for lock in await yard.locks.held()}
        assert held == {"production": first, "production/shop": first, "production/billing": other}
        await pressed(yard, Click.STOP, first, BOB)
        await yard.reaches(first, State.UNDONE)
        await yard.reaches(shares, State.RUNNING)


async def test_a_lock_can_be_taken_in_the_moment_in_which_a_run_lets_go_of_its_own(
    database: Database, tmp_path: Path, clock: SetClock, road: Road
) -> None:
    def after(record: object) -> tuple[Lock, ...]:
        now = clock()
        return (Lock("rome", 0, "guardian", now, None, "it went back", now + timedelta(hours=1)),)

    async with open_yard(
        database, tmp_path / "chest", clock, operations={"road": road}, locks_after=after
    ) as yard:
        first, second = await begun(yard), await begun(yard)
        await yard.reaches(first, State.RUNNING)
        await pressed(yard, Click.GO, first, BOB)
        await yard.reaches(first, State.DONE)
        held = await yard.locks.held()
        assert [(lock.subject, lock.by, lock.run) for lock in held] == [("rome", "guardian", None)]
        yard.desk.wake()
        await asyncio.sleep(0)
        assert (await yard.record(second)).state is State.QUEUED
        await yard.locks.unlock("rome", BOB)
        await yard.reaches(second, State.RUNNING)
