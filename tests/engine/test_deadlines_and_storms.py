"""What is due for very many alerts, for one that cannot be decided, and in the thread of a storm."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from structlog.typing import EventDict

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.alerts.ladder import Policy, Recipient, Target, TargetKind
from bot.domain.alerts.model import Alert, Condition, Reported, Status, Subject
from bot.domain.alerts.surroundings import NO_LABELS, Plain, Surroundings
from bot.domain.letters import Card
from bot.domain.levels import Level
from bot.engine.board import Board
from bot.engine.desk import DUE_AT_ONCE, AlertDesk
from bot.engine.guardian import Guardian, Identity
from bot.engine.ledger import Ledger
from bot.engine.outbox import Outbox
from bot.engine.reports import Report
from bot.store.changes import LetterSent
from bot.store.store import Store
from probes.base import Layer
from tests.engine.support import QUICK, FakeSlack, SetClock
from tests.engine.watching import CpuRules

POLICY = Policy("p", ((Target(TargetKind.PERSON, "U024BE7LH"),),))
LATER = timedelta(hours=1)


class Broken(Plain):
    """Nobody can be looked up for it."""

    def reach(self, targets: Sequence[Target], now: datetime) -> tuple[Recipient, ...]:
        raise OverflowError


class Quiet(Plain):
    """A window lies over it."""

    def cover(self, level: Level, now: datetime, without: Collection[str] = ()) -> Cover | None:
        return Cover(CoverKind.MAINTENANCE, "#1", now + LATER, level=level)


class Shelf:
    """Surroundings by target."""

    def __init__(self) -> None:
        self.odd: dict[str, Surroundings] = {}
        self.all: Surroundings = Plain("guardian-alerts", POLICY)

    def of(
        self, subject: Subject, own: Mapping[str, str] = NO_LABELS, layer: Layer | None = None
    ) -> Surroundings:
        return self.odd.get(subject.target, self.all)

    def know(self, alerts: Iterable[Alert]) -> None:
        """Nothing inhibits."""

    def forget(self, key: str) -> None:
        """Nothing was known."""


class Desk:
    """A desk that takes reports."""

    def __init__(self, store: Store, clock: SetClock) -> None:
        self.clock, self.shelf = clock, Shelf()
        self.outbox = Outbox(Ledger(store, clock), FakeSlack(), clock, QUICK)
        ledger = Ledger(store, clock)
        self.ledger = ledger
        self.desk = AlertDesk(ledger, self.outbox, clock, "guardian-alerts", CpuRules(), self.shelf)

    async def report(self, *targets: str, firing: bool = True) -> None:
        reports = [
            Report(
                Subject("test", f"alertmanager:{target}", "m", target, Condition.REPORTED),
                NO_LABELS,
                Reported(firing, Level.CRITICAL, self.clock.now, target),
                Layer.APPLICATION,
            )
            for target in targets
        ]
        await self.desk.report(reports)

    def pages(self) -> dict[str, int]:
        return {alert.subject.target: alert.pages for alert in self.desk.open()}


async def test_one_alert_that_cannot_be_decided_keeps_nobody_from_being_paged(
    small_store: Store, clock: SetClock, logs: list[EventDict]
) -> None:
    desk = Desk(small_store, clock)
    await desk.report("a", "b", "c")
    desk.shelf.odd["a"] = Broken("guardian-alerts", POLICY)
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
    desk = Desk(small_store, clock)
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
    desk = Desk(small_store, clock)
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
    desk = Desk(small_store, clock)
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
    desk = Desk(small_store, clock)
    await desk.report(*(f"t{number}" for number in range(20)))
    await small_store.write([LetterSent(1, clock.now, "9.9", Card(stream, "C1", "9.9", clock.now, 1))])
    who = Identity("host", "test", "1", clock.now)
    guardian = Guardian(who, Board([], CpuRules()), desk.desk, desk.outbox, desk.ledger, clock)
    await guardian.wrote("C1", "9.9", "U2")
    assert sum(alert.seen_by == ("U2",) for alert in desk.desk.open()) == seen
