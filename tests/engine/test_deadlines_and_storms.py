"""What is due for very many alerts, for one that cannot be decided, and in the thread of a storm."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from structlog.typing import EventDict

from bot.domain.alerts.model import Status
from bot.domain.alerts.surroundings import Plain
from bot.domain.letters import Card, LetterKind, Priority
from bot.domain.levels import Level
from bot.engine.board import Board
from bot.engine.desk import DUE_AT_ONCE
from bot.engine.guardian import Guardian, Identity
from bot.store.changes import LetterSent
from bot.store.store import Store
from tests.engine.shelf import POLICY, Quiet, ReportDesk, Unreachable
from tests.engine.support import SetClock
from tests.engine.watching import CpuRules
from tests.factories import T0, at


async def test_one_alert_that_cannot_be_decided_keeps_nobody_from_being_paged(
    small_store: Store, clock: SetClock, logs: list[EventDict]
) -> None:
    desk = ReportDesk(small_store, clock)
    await desk.report("a", "b", "c")
    desk.shelf.odd["a"] = Unreachable("guardian-alerts", POLICY)
    clock.forward(minutes=1)
    await desk.desk.tick()
    assert desk.pages() == {"a": 0, "b": 1, "c": 1}
    assert [each["alert"] for each in logs if each["event"] == "deadline_not_decided"] == [1]
    desk.shelf.odd.clear()
    await desk.desk.tick()
    assert desk.pages() == {"a": 1, "b": 1, "c": 1}, "and it is tried again"


async def test_what_was_found_out_about_alerts_that_are_history_is_forgotten(
    small_store: Store, clock: SetClock
) -> None:
    desk = ReportDesk(small_store, clock)
    for number in range(3):
        await desk.report("a")
        await desk.desk.enrich(number + 1, {"n": number})
        await desk.report("a", firing=False)
        clock.forward(hours=2)
        await desk.desk.tick()
    await desk.report("a")
    last = desk.desk.open()[0]
    assert last.id == 4
    assert desk.desk.facts(last).extras == {}
    clock.forward(hours=2)
    await desk.desk.tick()
    assert set(desk.desk._cases.extras) <= {4}, "others took the places of those before"


async def test_a_window_over_thousands_is_written_in_parts(small_store: Store, clock: SetClock) -> None:
    desk = ReportDesk(small_store, clock)
    many = 2 * DUE_AT_ONCE + 1
    await desk.report(*(f"t{number}" for number in range(many)))
    sizes: list[int] = []
    settled = desk.desk._cases.settled

    async def counted(*args: object, **more: object) -> object:
        made = await settled(*args, **more)  # type: ignore[arg-type]  # passed on as it is
        sizes.append(len(made))
        return made

    desk.desk._cases.settled = counted  # type: ignore[method-assign, assignment]  # only counts
    desk.shelf.all = Quiet("guardian-alerts", POLICY)
    await desk.desk.look_again()
    assert sizes == [DUE_AT_ONCE, DUE_AT_ONCE, 1]
    assert all(alert.cover is not None for alert in desk.desk.open())


async def test_who_writes_in_a_storm_s_thread_holds_what_it_gathers(
    small_store: Store, clock: SetClock
) -> None:
    desk = ReportDesk(small_store, clock)
    await desk.report(*(f"t{number}" for number in range(20)))
    taken = await desk.desk.acknowledge_storm(1, "U1")
    assert taken == 19
    clock.forward(minutes=20)
    assert await desk.desk.active_in_storm(1, "U2") == taken
    clock.forward(minutes=20)
    await desk.desk.tick()
    gathered = [alert for alert in desk.desk.open() if alert.storm == 1]
    assert {alert.status for alert in gathered} == {Status.ACKED}
    assert {alert.seen_by for alert in gathered} == {("U1", "U2")}


@pytest.mark.parametrize(
    ("stream", "seen"),
    [("alert:1", 1), ("alert:1:1.1.1:ops", 1), ("storm:1", 19), ("storm:1:page:7", 0), ("notice:1", 0)],
)
async def test_a_thread_belongs_to_what_its_card_is_about(
    small_store: Store, clock: SetClock, stream: str, seen: int
) -> None:
    desk = ReportDesk(small_store, clock)
    await desk.report(*(f"t{number}" for number in range(20)))
    await small_store.write([LetterSent(1, clock.now, "9.9", Card(stream, "C1", "9.9", clock.now, 1))])
    who = Identity("host", "test", "1", clock.now)
    guardian = Guardian(who, Board([], CpuRules()), desk.desk, desk.outbox, desk.ledger, clock)
    await guardian.wrote("C1", "9.9", "U2")
    assert sum(alert.seen_by == ("U2",) for alert in desk.desk.open()) == seen


MANY = tuple(f"t{number}" for number in range(20))
"""So many at once are a storm: the first gets a card, the others are folded."""


async def test_a_storm_that_is_over_ends_before_the_next_alert_is_judged(
    store: Store, clock: SetClock
) -> None:
    desk = ReportDesk(store, clock)
    await desk.report(*MANY)
    clock.forward(minutes=5)
    await desk.report("late")  # before anybody has looked
    late = desk.desk.open()[-1]
    assert (late.subject.target, late.storm, late.carded) == ("late", None, True)
    assert [storm.ended_at for storm in await store.storms(T0)] == [clock.now]
    assert desk.waiting("storm")[-1].facts["ended_at"] is None
    await desk.desk.tick()
    card = desk.waiting("storm")[-1]
    assert (card.kind, card.facts["ended_at"]) == (LetterKind.EDIT, clock.now.isoformat())


async def test_a_storm_whose_end_was_not_written_has_not_ended(small_store: Store, clock: SetClock) -> None:
    desk = ReportDesk(small_store, clock)
    await desk.report(*MANY)
    clock.forward(minutes=5)
    await desk.fails_to_write()
    with pytest.raises(IntegrityError):
        await desk.report("late")
    before = desk.desk.storm(1)
    assert before is not None
    assert before.ended_at is None
    assert [storm.ended_at for storm in await small_store.storms(T0)] == [None]
    await desk.report("late")
    after = desk.desk.storm(1)
    assert after is not None
    assert after.ended_at == clock.now.isoformat()
    assert [storm.ended_at for storm in await small_store.storms(T0)] == [clock.now]


async def test_lines_are_added_to_a_letter_that_waits_only_while_it_is_young(
    small_store: Store, clock: SetClock
) -> None:
    """What is old may have gone the second way, and must not go it once more under another number."""
    desk = ReportDesk(small_store, clock)
    await desk.report(*MANY)
    (first,) = desk.waiting("storm_digest")
    clock.forward(seconds=29)
    await desk.report("young")
    (both,) = desk.waiting("storm_digest")
    assert (both.created_at, both.since) == (first.created_at, first.since) == (T0, T0)
    assert both.id != first.id
    clock.forward(seconds=1)
    await desk.report("old")
    kept, new = desk.waiting("storm_digest")
    assert (kept, new.created_at) == (both, at(30))
    assert [group["targets"] for group in new.facts["groups"]] == [["old"]]  # type: ignore[index, union-attr, call-overload]  # a list of objects
    clock.forward(minutes=10)
    assert [each.id for each in await small_store.queued_letters() if each.template == "storm_digest"] == [
        kept.id,
        new.id,
    ]


async def test_a_folded_alert_that_becomes_an_emergency_under_a_window_gets_its_card_after_it(
    small_store: Store, clock: SetClock
) -> None:
    desk = ReportDesk(small_store, clock)
    await desk.report(*MANY)
    desk.shelf.all = Quiet("guardian-alerts", POLICY)
    await desk.desk.look_again()
    clock.forward(minutes=1)
    cards = len(desk.waiting("alert"))
    await desk.report("t7", level=Level.EMERGENCY)
    assert len(desk.waiting("alert")) == cards
    desk.shelf.all = Plain("guardian-alerts", POLICY)
    await desk.desk.look_again()
    card = desk.waiting("alert")[-1]
    assert (card.kind, card.priority, card.stream) == (LetterKind.CARD, Priority.EMERGENCY, "alert:8")
    assert {alert.subject.target: alert.storm for alert in desk.desk.open()}["t7"] is None


@pytest.mark.parametrize("minutes", [0, 1, 120], ids=["at once", "soon", "when the old moments are over"])
async def test_a_restart_after_a_step_back_of_the_clock_finds_the_moved_deadlines(
    store: Store, clock: SetClock, minutes: float
) -> None:
    desk = ReportDesk(store, clock)
    await desk.report("a")
    clock.forward(minutes=1)
    await desk.desk.tick()
    due = desk.desk.next_due()
    assert due is not None
    clock.forward(hours=-1)
    await desk.desk.clock_stepped(timedelta(hours=-1))
    assert desk.desk.next_due() == due - timedelta(hours=1)
    clock.forward(minutes=minutes)
    again = await desk.restarted()
    assert again.desk.next_due() == due - timedelta(hours=1)


async def test_a_restart_after_a_step_back_of_the_clock_finds_the_storm_s_end(
    store: Store, clock: SetClock
) -> None:
    desk = ReportDesk(store, clock)
    await desk.report(*MANY)
    clock.forward(minutes=1)
    clock.forward(hours=-1)
    await desk.desk.clock_stepped(timedelta(hours=-1))
    again = await desk.restarted()
    clock.forward(minutes=4)
    await again.desk.tick()
    over = again.desk.storm(1)
    assert over is not None
    assert over.ended_at == clock.now.isoformat()
    await again.report("late")
    assert again.desk.open()[-1].storm is None, "what came before the step is long ago"


@pytest.mark.parametrize(
    ("firing", "level", "status"),
    [
        (False, Level.WARNING, Status.RESOLVED),
        (True, Level.CRITICAL, Status.FIRING),
        (True, Level.EMERGENCY, Status.FIRING),
    ],
    ids=["then over", "then worse", "then an emergency"],
)
async def test_two_reports_of_one_new_alert_at_once_in_a_storm(
    small_store: Store, clock: SetClock, firing: bool, level: Level, status: Status
) -> None:
    desk = ReportDesk(small_store, clock)
    await desk.report(*MANY)
    clock.forward(seconds=5)
    await desk.desk.report([desk.says("x", level=Level.WARNING), desk.says("x", firing, level)])
    number = len(MANY) + 1
    known = desk.desk.alert(number)
    assert known is not None
    assert (known.status, known.level) == (status, level)
    assert known == await small_store.alert(number), "what is known is what is written"
    own_card = level is Level.EMERGENCY
    assert (known.storm is None) is own_card
    own = [each for each in desk.outbox.waiting() if each.stream == f"alert:{number}"]
    assert bool(own) is own_card, "one place tells of it"
    assert [each.kind for each in own][:1] == [LetterKind.CARD][: len(own)]
    assert (known in desk.desk.open()) is known.status.is_open


async def test_a_hundred_decisions_with_one_reason_are_one_line_in_the_log(
    small_store: Store, clock: SetClock, logs: list[EventDict]
) -> None:
    desk = ReportDesk(small_store, clock)
    for number in range(30):
        await desk.report(f"t{number}", level=Level.WARNING)
        clock.forward(minutes=10)
    logs.clear()
    await desk.desk.report([desk.says(f"t{number}", firing=False) for number in range(30)])
    told = [each for each in logs if each["event"] in ("alert", "alerts")]
    assert [(each["event"], each["count"], each["first"], each["last"]) for each in told] == [
        ("alerts", 30, 1, 30)
    ]
