"""The desk of operations: plan, approval, run, queue, locks; on each kind of database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue
from sqlalchemy.exc import DBAPIError

from bot.domain.audit import GUARDIAN, Outcome
from bot.domain.audit_faults import verify
from bot.domain.maintenance import Once
from bot.domain.operations.approval import Click, Needs, State
from bot.domain.operations.freeze import Freeze
from bot.domain.operations.plan import JsonObject, OnFailure, Plan
from bot.domain.operations.record import OperationRecord, Problem, StepState
from bot.domain.operations.roles import Role, Roles
from bot.engine.operations.durable import Run
from bot.engine.operations.locks import LockBook
from bot.engine.operations.runner import Runner
from bot.store.audit import AuditStore
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.operations import OperationStore
from messages.operation_facts import OperationAskedFacts, OperationRefusedFacts
from tests.engine.operations.jobs import ANN, BOB, CHO, DAN, ROLES, Chest, Memory, Yard, open_yard
from tests.engine.support import CEILING_SECONDS, Disk, FakeSlack, SetClock, until
from tests.factories import T0


async def approved(yard: Yard, words: str, by: str = BOB) -> int:
    """An operation that somebody has approved."""
    record = await yard.ask(words)
    clicked = await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, by)
    assert clicked is not None
    assert clicked.verdict == "taken"
    return record.id


async def deeds(database: Database) -> list[tuple[str, str, str]]:
    """Who did what, and how it ended: whatever is in the audit log, which is whole."""
    found = [each async for each in AuditStore(database).entries()]
    assert verify(found).is_whole
    return [(each.actor, each.action, each.outcome) for each in found]


async def test_a_plan_is_shown_and_nothing_is_done_until_somebody_approves(
    yard: Yard, database: Database
) -> None:
    record = await yard.ask("bread salt")
    await until(lambda: yard.slack.shown(f"operation:{record.id}"))
    assert record.state is State.PENDING
    assert yard.chest.words() == []
    assert yard.card(record.id)["state"] == "pending"
    clicked = await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    assert clicked is not None
    assert clicked.verdict == "taken"
    done = await yard.reaches(record.id, State.DONE)
    assert yard.chest.words() == ["bread", "salt"]
    assert (done.decided_by, done.token) == (BOB, 1)
    assert [step.state for step in done.steps] == [StepState.DONE, StepState.DONE]
    await until(lambda: yard.card(record.id).get("state") == "done")
    await until(lambda: yard.thread(record.id) == ["approve", "start", "end"])
    assert await deeds(database) == [
        (ANN, "operation.ask", "done"),
        (BOB, "operation.approve", "done"),
        ("guardian", "operation.start", "done"),
        ("guardian", "operation.end", "done"),
    ]
    assert yard.alerts == [(record.id, State.DONE)]


async def test_of_many_clicks_at_once_one_wins(yard: Yard, database: Database) -> None:
    record = await yard.ask("bread")
    people = [BOB, CHO, DAN]
    presses = [
        yard.desk.press(Click.DENY if number % 4 == 3 else Click.APPROVE, record.id, record.plan_hash, by)
        for number, by in enumerate(people * 12)
    ]
    answers = await asyncio.gather(*presses)
    verdicts = [answer.verdict for answer in answers if answer is not None]
    assert verdicts.count("taken") == 1
    assert set(verdicts) == {"taken", "stale"}
    decided = [deed for deed in await deeds(database) if deed[1] in ("operation.approve", "operation.deny")]
    assert len(decided) == 1


async def test_a_click_on_a_card_that_shows_another_plan_is_stale(yard: Yard) -> None:
    record = await yard.ask("bread")
    clicked = await yard.desk.press(Click.APPROVE, record.id, "0" * 64, BOB)
    assert clicked is not None
    assert clicked.verdict == "stale"
    assert (await yard.record(record.id)).state is State.PENDING


async def test_who_may_not_approve_is_told_who_could(yard: Yard, database: Database) -> None:
    record = await yard.ask("bread")
    clicked = await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, ANN)
    assert clicked is not None
    assert (clicked.verdict, clicked.who_could) == ("not_allowed", (BOB, CHO, DAN))
    await yard.audit.flush()
    assert (ANN, "operation.approve", "refused") in await deeds(database)


async def test_a_viewer_may_not_even_ask(yard: Yard) -> None:
    asked = await yard.desk.ask("chest", {"words": "bread"}, "U0EVE")
    assert isinstance(asked, OperationRefusedFacts)
    assert (asked.problem.reason, asked.who_could) == ("role", (ANN, BOB, CHO, DAN))
    assert yard.chest.planned == 0


async def test_without_roles_everybody_may(yard: Yard) -> None:
    yard.roles = Roles()
    await yard.reaches(await approved(yard, "bread", "U0EVE"), State.DONE)


async def test_a_second_person_has_to_approve_where_that_is_asked(yard: Yard) -> None:
    yard.needs = replace(yard.needs, second_person=True)
    record = await yard.ask("bread", by=BOB)
    own = await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    assert own is not None
    assert (own.verdict, own.who_could) == ("second_person", (CHO, DAN))
    other = await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, CHO)
    assert other is not None
    assert other.verdict == "taken"


async def test_the_glass_is_broken_with_a_reason_and_tells_the_administrators(yard: Yard) -> None:
    yard.needs = replace(yard.needs, second_person=True)
    record = await yard.ask("bread")
    without = await yard.desk.press(Click.BREAK_GLASS, record.id, record.plan_hash, ANN, "  ")
    assert without is not None
    assert without.verdict == "no_reason"
    broken = await yard.desk.press(Click.BREAK_GLASS, record.id, record.plan_hash, ANN, "disk is full")
    assert broken is not None
    assert broken.verdict == "taken"
    done = await yard.reaches(record.id, State.DONE)
    assert (done.glass, done.reason) == (True, "disk is full")
    await until(lambda: "break_glass" in yard.thread(record.id))
    note = next(m.letter for m in yard.slack.messages if m.letter.facts.get("what") == "break_glass")
    assert (note.facts["administrators"], note.broadcast) == ([DAN], True)


async def test_a_plan_that_nobody_approves_expires(yard: Yard) -> None:
    record = await yard.ask("bread")
    yard.clock.forward(minutes=15)
    late = await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    assert late is not None
    assert late.verdict == "expired"
    await yard.reaches(record.id, State.EXPIRED)
    await until(lambda: yard.card(record.id).get("state") == "expired")
    assert yard.chest.words() == []


async def test_a_newer_plan_for_the_same_takes_the_place_of_the_older(yard: Yard) -> None:
    first = await yard.ask("bread")
    second = await yard.ask("salt")
    assert (await yard.record(first.id)).state is State.SUPERSEDED
    clicked = await yard.desk.press(Click.APPROVE, first.id, first.plan_hash, BOB)
    assert clicked is not None
    assert clicked.verdict == "stale"
    assert (await yard.record(second.id)).state is State.PENDING


async def test_whoever_asked_may_cancel_and_others_may_not(yard: Yard) -> None:
    record = await yard.ask("bread")
    yard.roles = Roles({Role.OPERATOR: frozenset({ANN, "U0EVE"})}, assigned=True)
    other = await yard.desk.press(Click.CANCEL, record.id, record.plan_hash, "U0EVE")
    assert other is not None
    assert other.verdict == "not_allowed"
    own = await yard.desk.press(Click.CANCEL, record.id, record.plan_hash, ANN)
    assert own is not None
    assert (own.verdict, own.operation.state) == ("taken", "cancelled")


async def test_a_plan_that_has_changed_is_refused_with_the_difference(yard: Yard, database: Database) -> None:
    record = await yard.ask("bread")
    yard.chest.facts = "quite others"
    await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    changed = await yard.reaches(record.id, State.CHANGED)
    assert changed.problem is not None
    assert changed.problem.values["changes"] == [
        {"step": None, "name": "facts", "before": "as they were", "after": "quite others"}
    ]
    assert yard.chest.words() == []
    assert ("guardian", "operation.start", Outcome.REFUSED.value) in await deeds(database)


async def test_what_refuses_a_plan_now_refuses_to_start_it_later(yard: Yard) -> None:
    record = await yard.ask("bread")
    yard.chest.refuses = "no_backup"
    await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    refused = await yard.reaches(record.id, State.REFUSED)
    assert refused.problem is not None
    assert refused.problem.reason == "no_backup"
    await until(lambda: yard.card(record.id).get("remedy") == "backup")


@pytest.mark.parametrize("who", [ANN, BOB])
async def test_a_role_that_is_gone_between_the_click_and_the_start(yard: Yard, who: str) -> None:
    held = await yard.locks.lock("chest", DAN, None, "moving house")
    assert held.outcome == "done"
    number = await approved(yard, "bread")
    yard.roles = Roles({role: users - {who} for role, users in ROLES.members.items()}, assigned=True)
    await yard.locks.unlock("chest", DAN)
    refused = await yard.reaches(number, State.REFUSED)
    assert refused.problem is not None
    assert (refused.problem.reason, refused.problem.values["user"]) == ("role_gone", who)
    assert yard.chest.words() == []


async def test_one_runs_at_a_time_and_the_others_wait_in_their_order(yard: Yard) -> None:
    yard.chest.held = {"one": asyncio.Event()}
    first = await approved(yard, "one")
    await until(lambda: yard.chest.reached == ["one"])
    # The one asked for last is approved first, and so comes first.
    second, third = await yard.ask("two"), None
    await yard.desk.press(Click.APPROVE, second.id, second.plan_hash, BOB)
    yard.clock.forward(seconds=1)
    third = await yard.ask("three")
    await yard.desk.press(Click.APPROVE, third.id, third.plan_hash, BOB)
    await until(lambda: yard.card(third.id).get("place") == 2)
    waits = yard.card(second.id)["waits_for"]
    assert isinstance(waits, dict)
    assert waits["run"] == first
    assert (await yard.record(second.id)).state is State.QUEUED
    yard.chest.held["one"].set()
    await yard.reaches(third.id, State.DONE)
    assert yard.chest.reached == ["one", "two", "three"]
    assert [(await yard.record(number)).token for number in (first, second.id, third.id)] == [1, 2, 3]


async def test_other_subjects_do_not_wait(yard: Yard) -> None:
    yard.chest.held = {"one": asyncio.Event()}
    await approved(yard, "one")
    await until(lambda: yard.chest.reached == ["one"])
    other = await yard.ask("two", subject="another")
    await yard.desk.press(Click.APPROVE, other.id, other.plan_hash, BOB)
    await yard.reaches(other.id, State.DONE)
    yard.chest.held["one"].set()


async def test_a_failure_undoes_everything_that_was_done(yard: Yard) -> None:
    yard.chest.breaks = {"three"}
    number = await approved(yard, "one two three four")
    undone = await yard.reaches(number, State.UNDONE)
    assert yard.chest.words() == []
    assert yard.chest.reached == ["one", "two", "three"]
    assert undone.problem is not None
    assert (undone.problem.reason, undone.problem.values) == ("broken", {"word": "three"})
    assert yard.alerts == [(number, State.UNDONE)]


async def test_a_stage_that_fails_is_undone_and_the_next_is_done_all_the_same(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    chest = Chest(tmp_path / "chest", OnFailure.UNDO_STEP)
    chest.breaks = {"two"}
    async with open_yard(database, chest.folder, clock, chest=chest) as yard:
        number = await approved(yard, "one two three")
        partial = await yard.reaches(number, State.PARTIAL)
        assert yard.chest.words() == ["one", "three"]
        assert [step.state.value for step in partial.steps] == ["done", "undone", "done"]


async def test_what_cannot_be_undone_is_a_failure_that_somebody_has_to_look_at(yard: Yard) -> None:
    yard.chest.breaks, yard.chest.stuck = {"two"}, {"one"}
    number = await approved(yard, "one two")
    failed = await yard.reaches(number, State.FAILED)
    assert [step.state.value for step in failed.steps] == ["stuck", "undone"]


async def test_a_bug_in_a_step_is_a_failure_with_a_reference(yard: Yard) -> None:
    yard.chest.buggy = {"one"}
    undone = await yard.reaches(await approved(yard, "one"), State.UNDONE)
    assert undone.problem is not None
    assert undone.problem.reason == "bug"
    assert len(str(undone.problem.values["reference"])) == 4


async def test_stop_ends_a_run_between_two_things(yard: Yard) -> None:
    yard.chest.held = {"two": asyncio.Event()}
    number = await approved(yard, "one two three")
    await until(lambda: yard.chest.reached == ["one", "two"])
    record = await yard.record(number)
    stopped = await yard.desk.press(Click.STOP, number, record.plan_hash, ANN)
    assert stopped is not None
    assert stopped.verdict == "taken"
    yard.chest.held["two"].set()
    undone = await yard.reaches(number, State.UNDONE)
    assert (undone.stopped_by, yard.chest.words()) == (ANN, [])
    assert yard.chest.reached == ["one", "two"]
    again = await yard.desk.press(Click.STOP, number, record.plan_hash, ANN)
    assert again is not None
    assert again.verdict == "stale"


@pytest.mark.parametrize(
    ("on_failure", "left"), [(OnFailure.UNDO_STEP, "undone"), (OnFailure.STOP, "stopped")]
)
async def test_stages_that_are_stopped_read_as_stopped_and_what_they_did_stays(
    database: Database, tmp_path: Path, clock: SetClock, on_failure: OnFailure, left: str
) -> None:
    chest = Chest(tmp_path / "chest", on_failure)
    chest.held = {"two": asyncio.Event()}
    async with open_yard(database, chest.folder, clock, chest=chest) as yard:
        number = await approved(yard, "one two three")
        await until(lambda: chest.reached == ["one", "two"])
        await yard.desk.press(Click.STOP, number, "", ANN)
        chest.held["two"].set()
        stopped = await yard.reaches(number, State.STOPPED)
        assert chest.words() == ["one"]
        assert [step.state.value for step in stopped.steps] == ["done", left]
        await until(lambda: yard.card(number)["state"] == "stopped")


async def test_of_many_who_press_stop_one_wins(yard: Yard, database: Database) -> None:
    yard.chest.held = {"one": asyncio.Event()}
    number = await approved(yard, "one")
    await until(lambda: yard.chest.reached == ["one"])
    presses = [yard.desk.press(Click.STOP, number, "", by) for by in (ANN, BOB, CHO, DAN) * 8]
    answers = await asyncio.gather(*presses)
    verdicts = [answer.verdict for answer in answers if answer is not None]
    assert (verdicts.count("taken"), verdicts.count("stale")) == (1, 31)
    yard.chest.held["one"].set()
    await yard.reaches(number, State.UNDONE)
    await until(lambda: yard.thread(number)[-1] == "end")
    assert yard.thread(number).count("stop") == 1
    assert [deed[1] for deed in await deeds(database)].count("operation.stop") == 1


async def test_the_card_says_while_everything_is_taken_back_which_nobody_can_stop(yard: Yard) -> None:
    yard.chest.breaks, yard.chest.undo_held = {"two"}, {"one": asyncio.Event()}
    number = await approved(yard, "one two")
    undoing = await yard.reaches(number, State.UNDOING)
    assert undoing.ended_at is None
    await until(lambda: yard.card(number).get("state") == "undoing")
    stopped = await yard.desk.press(Click.STOP, number, "", BOB)
    assert stopped is not None
    assert stopped.verdict == "stale"
    yard.chest.undo_held["one"].set()
    await yard.reaches(number, State.UNDONE)
    assert yard.chest.words() == []


async def test_of_two_who_ask_for_the_same_at_once_one_plan_stays(yard: Yard) -> None:
    asked = await asyncio.gather(*(yard.ask(word) for word in ("bread", "salt", "milk")))
    states = [(await yard.record(each.id)).state for each in asked]
    assert sorted(states) == ["pending", "superseded", "superseded"]


async def test_what_fails_while_the_process_ends_is_done_again_and_not_undone(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    chest, slack = Chest(tmp_path / "chest"), FakeSlack()
    kept: dict[int, dict[str, JsonValue]] = {}
    chest.fails_when_cancelled = True
    chest.held = {"two": asyncio.Event()}
    async with open_yard(database, chest.folder, clock, chest=chest, kept=kept, slack=slack) as yard:
        number = await approved(yard, "one two")
        await until(lambda: "two" in chest.reached)
    chest.held = {}
    async with open_yard(database, chest.folder, clock, chest=chest, kept=kept, slack=slack) as yard:
        await yard.reaches(number, State.DONE)
        assert chest.words() == ["one", "two"]


async def test_a_step_tells_how_far_it_is_on_the_card(yard: Yard) -> None:
    yard.chest.held = {"one": asyncio.Event()}
    number = await approved(yard, "one")
    await until(lambda: yard.card(number).get("progress"))
    progress = yard.card(number)["progress"]
    assert isinstance(progress, dict)
    assert (progress["done"], progress["total"], progress["unit"]) == (1, 2, "files")
    yard.chest.held["one"].set()


async def test_a_freeze_keeps_operations_from_being_asked_for_and_from_starting(yard: Yard) -> None:
    frozen = await yard.locks.freeze("chest", BOB, timedelta(hours=2), "release day")
    assert frozen.outcome == "made"
    asked = await yard.desk.ask("chest", {"words": "bread"}, ANN)
    assert isinstance(asked, OperationRefusedFacts)
    assert asked.problem.values["reason"] == "release day"
    yard.clock.forward(hours=2)
    record = await yard.ask("bread")
    await yard.locks.freeze("*", BOB, timedelta(hours=2), "once more")
    await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    refused = await yard.reaches(record.id, State.REFUSED)
    assert refused.problem is not None
    assert refused.problem.reason == "frozen"


async def rename(database: Database, before: str, after: str) -> None:
    async with database.begin() as connection:
        await connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")


async def test_a_freeze_and_its_note_are_both_there_or_neither(yard: Yard, database: Database) -> None:
    first = await yard.locks.freeze("chest", BOB, timedelta(hours=2), "release day")
    await rename(database, "audit", "elsewhere")
    with pytest.raises((StoreUnavailable, DBAPIError)):
        await yard.locks.freeze("chest", BOB, timedelta(hours=2), "once more")
    with pytest.raises((StoreUnavailable, DBAPIError)):
        await yard.locks.thaw(1, BOB)
    await rename(database, "elsewhere", "audit")
    assert [each.ref for each in (await yard.locks.freezes()).freezes] == ["#1"]
    assert first.freeze is not None
    assert (await yard.locks.thaw(1, BOB)).outcome == "ended"
    assert (await yard.locks.thaw(1, CHO)).outcome == "not_found"
    assert await deeds(database) == [(BOB, "freeze.add", "done"), (BOB, "freeze.end", "done")]


async def test_freezes_made_at_once_have_numbers_of_their_own(yard: Yard, database: Database) -> None:
    made = await asyncio.gather(
        *(yard.locks.freeze(f"chest-{n}", BOB, timedelta(hours=2), "release day") for n in range(8))
    )
    assert {each.freeze.ref for each in made if each.freeze is not None} == {f"#{n}" for n in range(1, 9)}
    assert len(await deeds(database)) == 8


async def test_a_freeze_of_the_configuration_holds_too(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    holidays = Freeze("new year", Once(T0, T0 + timedelta(days=1)), frozenset({"chest"}), reason="away")
    async with open_yard(database, tmp_path / "chest", clock, freezes=[holidays]) as yard:
        asked = await yard.desk.ask("chest", {"words": "bread"}, ANN)
        assert isinstance(asked, OperationRefusedFacts)
        assert asked.problem.values["ref"] == "new year"


async def test_people_lock_with_a_reason_for_an_hour_and_lift_their_own(yard: Yard) -> None:
    assert (await yard.locks.lock("chest", "U0EVE", None, "why not")).outcome == "not_allowed"
    assert (await yard.locks.lock("chest", ANN, None, "")).outcome == "no_reason"
    made = await yard.locks.lock("chest", ANN, None, "moving")
    assert made.lock is not None
    assert made.lock.until == (T0 + timedelta(hours=1)).isoformat()
    taken = await yard.locks.lock("chest", BOB, None, "me too")
    assert (taken.outcome, taken.lock and taken.lock.by) == ("taken", ANN)
    yard.roles = Roles({Role.OPERATOR: frozenset({ANN, "U0EVE"}), Role.APPROVER: frozenset({BOB})}, True)
    assert (await yard.locks.unlock("chest", "U0EVE")).outcome == "not_allowed"
    assert (await yard.locks.unlock("chest", ANN)).outcome == "done"
    assert (await yard.locks.unlock("chest", ANN)).outcome == "none"
    number = await approved(yard, "bread")
    assert (await yard.reaches(number, State.DONE)).token == 2


async def test_a_lock_that_has_ended_is_in_nobodys_way(yard: Yard) -> None:
    await yard.locks.lock("chest", ANN, timedelta(minutes=5), "moving")
    number = await approved(yard, "bread")
    assert (await yard.record(number)).state is State.QUEUED
    yard.clock.forward(minutes=5)
    await yard.reaches(number, State.DONE)


async def test_nobody_takes_the_lock_of_a_run(yard: Yard) -> None:
    yard.chest.held = {"one": asyncio.Event()}
    number = await approved(yard, "one")
    await until(lambda: yard.chest.reached == ["one"])
    assert (await yard.locks.lock("chest", DAN, None, "mine")).outcome == "taken"
    assert (await yard.locks.unlock("chest", DAN)).outcome == "held"
    yard.chest.held["one"].set()
    await yard.reaches(number, State.DONE)


async def test_their_own_word_is_enough_where_no_second_person_is_asked(yard: Yard) -> None:
    asked = await yard.desk.ask("chest", {"words": "bread"}, BOB, approved=True)
    assert isinstance(asked, OperationAskedFacts)
    await yard.reaches(asked.operation.id, State.DONE)
    yard.needs = replace(yard.needs, second_person=True)
    second = await yard.desk.ask("chest", {"words": "salt"}, BOB, approved=True)
    assert isinstance(second, OperationAskedFacts)
    assert second.operation.state == "pending"


async def test_a_click_while_the_database_cannot_be_written_changes_nothing(yard: Yard, disk: Disk) -> None:
    record = await yard.ask("bread")
    await until(lambda: yard.slack.shown(f"operation:{record.id}"))
    disk.read_only = True
    with pytest.raises(StoreUnavailable):
        await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    disk.read_only = False
    assert (await yard.record(record.id)).state is State.PENDING
    await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    await yard.reaches(record.id, State.DONE)


@pytest.mark.parametrize("held", ["one", "two", "three"])
async def test_a_run_goes_on_where_it_was_when_the_process_ended(
    database: Database, tmp_path: Path, clock: SetClock, held: str
) -> None:
    chest, slack = Chest(tmp_path / "chest"), FakeSlack()
    kept: dict[int, dict[str, JsonValue]] = {}
    chest.held = {held: asyncio.Event()}
    async with open_yard(database, chest.folder, clock, chest=chest, kept=kept, slack=slack) as yard:
        number = await approved(yard, "one two three")
        await until(lambda: held in chest.reached)
    before, chest.reached, chest.held = list(chest.reached), [], {}
    async with open_yard(database, chest.folder, clock, chest=chest, kept=kept, slack=slack) as yard:
        done = await yard.reaches(number, State.DONE)
        assert done.token == 1
        assert chest.words() == ["one", "three", "two"]
        # What was done is not done again; what was under way is.
        assert chest.reached == ["one", "two", "three"][len(before) - 1 :]
        assert [each for each in await deeds(database) if each[1] == "operation.end"] == [
            ("guardian", "operation.end", "done")
        ]


async def test_what_was_approved_before_the_process_ended_starts_after_it(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    async with open_yard(database, tmp_path / "chest", clock) as yard:
        await yard.locks.lock("chest", DAN, None, "moving")
        number = await approved(yard, "one")
    async with open_yard(database, tmp_path / "chest", clock) as yard:
        await yard.locks.unlock("chest", DAN)
        await yard.reaches(number, State.DONE)


async def test_the_overview_has_what_runs_what_waits_and_what_was(yard: Yard) -> None:
    done = await approved(yard, "zero")
    await yard.reaches(done, State.DONE)
    yard.chest.held = {"one": asyncio.Event()}
    running = await approved(yard, "one")
    await until(lambda: "one" in yard.chest.reached)
    waiting = await approved(yard, "two")
    await yard.locks.freeze("elsewhere*", BOB, timedelta(hours=1), "fair")
    shown = await yard.desk.overview()
    assert [(each.id, each.state) for each in shown.open] == [(running, "running"), (waiting, "queued")]
    assert [(lock.subject, lock.run, lock.operation) for lock in shown.locks] == [("chest", running, "chest")]
    assert [each.id for each in shown.history] == [done]
    assert [each.subject for each in shown.freezes] == ["elsewhere*"]
    yard.chest.held["one"].set()


async def test_needs_of_a_longer_life(yard: Yard) -> None:
    yard.needs = Needs(lives=timedelta(hours=2))
    record = await yard.ask("bread")
    assert record.expires_at == T0 + timedelta(hours=2)


async def test_stop_reaches_a_step_that_is_about_to_begin(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    store, chest, ends = OperationStore(database), Chest(tmp_path / "chest"), list[State]()
    plan = await chest.plan({"words": "bread"}, T0)
    record = OperationRecord(1, plan, plan.hash, {}, State.RUNNING, "ops", ANN, T0, T0)
    await store.write(store.adding(record))

    async def end(record: OperationRecord, state: State, problem: Problem | None) -> None:
        ends.append(state)

    def stop(number: int) -> None:
        runner.stop(number, ANN)

    # It is pressed after the run has looked for that, and before the step does anything.
    runner = Runner(
        store,
        {"chest": chest},
        clock,
        stop,
        end,
        lambda number, name, text: None,
    )
    runs = Memory(runner.body)
    await runs.start(Run(1, plan.hash))
    await runs.tasks[1]
    assert (chest.words(), ends) == ([], [State.UNDONE])
    found = await store.get(1)
    assert found is not None
    assert found.stopped_by == ANN


@pytest.mark.parametrize("deaf", [False, True])
async def test_stop_that_could_not_be_written_keeps_the_next_step_from_beginning(
    yard: Yard, disk: Disk, deaf: bool
) -> None:
    yard.chest.held["bread"], yard.chest.deaf = asyncio.Event(), deaf
    number = await approved(yard, "bread salt")
    await until(lambda: yard.chest.reached == ["bread"])
    record = await yard.record(number)
    disk.away = True
    clicked = await yard.desk.press(Click.STOP, number, record.plan_hash, BOB)
    assert clicked is not None
    assert clicked.verdict == "unwritten"
    yard.chest.held["bread"].set()
    disk.away = False
    over = await yard.reaches(number, State.UNDONE)
    assert (over.stopped_by, yard.chest.reached, yard.chest.words()) == (BOB, ["bread"], [])


async def test_who_asks_for_what_waits_already_makes_no_second_run(yard: Yard) -> None:
    yard.chest.held["bread"] = asyncio.Event()
    yard.needs = replace(yard.needs, approve=Role.OPERATOR)
    first = await approved(yard, "bread")
    await yard.reaches(first, State.RUNNING)
    asked = [await yard.desk.ask("chest", {"words": "salt"}, ANN, approved=True) for _ in range(3)]
    other = await yard.desk.ask("chest", {"words": "oil"}, ANN, approved=True)
    numbers = [each.operation.id for each in (*asked, other) if isinstance(each, OperationAskedFacts)]
    assert numbers == [2, 2, 2, 3]
    yard.chest.held["bread"].set()
    await yard.reaches(3, State.DONE)
    assert yard.chest.reached == ["bread", "salt", "oil"]


async def test_what_is_scheduled_asks_for_no_second_person(yard: Yard) -> None:
    yard.needs = replace(yard.needs, second_person=True)
    asked = await yard.desk.ask("chest", {"words": "bread"}, GUARDIAN, approved=True)
    assert isinstance(asked, OperationAskedFacts)
    await yard.reaches(asked.operation.id, State.DONE)


async def test_a_plan_lives_from_when_it_is_shown(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    class Slow(Chest):
        async def plan(self, request: JsonObject, at: datetime) -> Plan:
            clock.forward(minutes=20)
            return await super().plan(request, at)

    folder = tmp_path / "chest"
    async with open_yard(database, folder, clock, chest=Slow(folder)) as yard:
        record = await yard.ask("bread")
        assert record.expires_at == clock() + timedelta(minutes=15)


async def test_a_mistyped_lock_is_refused_and_says_what_there_is(yard: Yard) -> None:
    picky = LockBook(yard.locks.store, yard.audit, yard.clock, lambda: ROLES, subjects=lambda: ("chest",))
    refused = await picky.lock("chets", ANN, None, "moving")
    assert (refused.outcome, refused.known) == ("unknown_subject", ("chest",))
    assert (await picky.lock("chest", ANN, None, "moving " * 200)).outcome == "done"
    (held,) = await picky.held()
    assert len(held.reason) == 300
    assert (await yard.locks.lock("x" * 10_000, ANN, None, "why")).outcome == "unknown_subject"


async def test_a_step_that_meets_a_database_that_is_away_is_done_again(yard: Yard) -> None:
    yard.chest.away = 1
    number = await approved(yard, "bread")
    async with asyncio.timeout(CEILING_SECONDS):
        await yard.reaches(number, State.DONE)
    assert (yard.chest.reached, yard.chest.words()) == (["bread", "bread"], ["bread"])


async def test_a_step_whose_lock_has_gone_to_somebody_else_is_not_done(yard: Yard) -> None:
    yard.chest.held = {"one": asyncio.Event()}
    number = await approved(yard, "one two")
    await until(lambda: yard.chest.reached == ["one"])
    await yard.store.write(yard.locks.store.releasing("chest", run=number))
    assert (await yard.locks.lock("chest", DAN, None, "mine now")).outcome == "done"
    yard.chest.held["one"].set()
    undone = await yard.reaches(number, State.UNDONE)
    assert yard.chest.reached == ["one"]
    assert undone.problem is not None
    assert undone.problem.reason == "lock_lost"


async def test_what_is_kept_of_old_runs_is_forgotten_with_the_next_one(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    kept: dict[int, dict[str, JsonValue]] = {}
    async with open_yard(database, tmp_path / "chest", clock, kept=kept) as yard:
        first = await approved(yard, "one")
        await yard.reaches(first, State.DONE)
        yard.clock.forward(days=1, seconds=1)
        second = await approved(yard, "two")
        await yard.reaches(second, State.DONE)
    assert list(kept) == [second]


async def test_who_may_not_lock_or_freeze_is_in_the_audit_log(yard: Yard, database: Database) -> None:
    await yard.locks.lock("chest", ANN, None, "mine")
    yard.roles = Roles({Role.OPERATOR: frozenset({ANN, BOB})}, assigned=True)
    await yard.locks.lock("chest", "U0EVE", None, "why not")
    await yard.locks.unlock("chest", BOB)
    await yard.locks.freeze("chest", ANN, timedelta(hours=1), "why not")
    await yard.locks.thaw(1, ANN)
    await yard.audit.flush()
    assert [deed for deed in await deeds(database) if deed[2] == "refused"] == [
        ("U0EVE", "lock.take", "refused"),
        (BOB, "lock.lift", "refused"),
        (ANN, "freeze.add", "refused"),
        (ANN, "freeze.end", "refused"),
    ]


async def test_files_of_plans_that_were_not_sent_are_sent_after_a_restart_and_once(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    chest, slack = Chest(tmp_path / "chest"), FakeSlack()
    chest.file = tmp_path / "list.txt"
    shared: list[list[str]] = []

    async def life(no_files: bool = False, ask: str = "", deny: int = 0) -> None:
        async with open_yard(
            database, chest.folder, clock, chest=chest, slack=slack, no_files=no_files
        ) as yard:
            if ask:
                await yard.ask(ask, subject=ask)
            if deny:
                record = await yard.record(deny)
                await yard.desk.press(Click.DENY, deny, record.plan_hash, BOB)
            wanted = [] if no_files else [each.id for each in await yard.store.open()]
            async with asyncio.timeout(CEILING_SECONDS):
                while any([not await yard.store.shared(number) for number in wanted]):  # noqa: ASYNC110 - as in `until`
                    await asyncio.sleep(0.005)
            shared.append([stream for stream, _, _ in yard.shared])
            assert len(yard.looked_for) == (0 if ask else len(yard.shared))

    await life(no_files=True, ask="bread")
    await life(no_files=True, ask="salt")
    await life(no_files=True, deny=2)
    await life()
    await life()
    await life(ask="milk")
    await life()
    assert shared == [[], [], [], ["operation:1"], [], ["operation:3"], []]
