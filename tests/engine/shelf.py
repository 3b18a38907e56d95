"""A desk that takes reports, with surroundings that a test changes as it goes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.alerts.ladder import Policy, Recipient, Target, TargetKind
from bot.domain.alerts.model import Alert, Condition, Reported, Subject
from bot.domain.alerts.surroundings import NO_LABELS, Plain, Surroundings
from bot.domain.letters import Letter
from bot.domain.levels import Level
from bot.engine.desk import AlertDesk
from bot.engine.ledger import Ledger
from bot.engine.outbox import Outbox
from bot.engine.reports import Report
from bot.store.changes import NewLetter
from bot.store.store import Store
from probes.base import Layer
from tests.engine.support import QUICK, FakeSlack, SetClock
from tests.engine.watching import CpuRules
from tests.factories import letter

POLICY = Policy("p", ((Target(TargetKind.PERSON, "U024BE7LH"),),))
LATER = timedelta(hours=1)


class Unreachable(Plain):
    """Nobody can be looked up for it."""

    def reach(self, targets: Sequence[Target], now: datetime) -> tuple[Recipient, ...]:
        raise OverflowError


class Undecidable(Plain):
    """Nothing can be decided about it."""

    def cover(self, level: Level, now: datetime, without: Collection[str] = ()) -> Cover | None:
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


def about(target: str) -> Subject:
    """What a report of that target is about."""
    return Subject("test", f"alertmanager:{target}", "m", target, Condition.REPORTED)


class ReportDesk:
    """A desk that takes reports."""

    def __init__(self, store: Store, clock: SetClock) -> None:
        self.clock, self.shelf, self.store = clock, Shelf(), store
        self.ledger = Ledger(store, clock)
        self.outbox = Outbox(self.ledger, FakeSlack(), clock, QUICK)
        self.desk = AlertDesk(self.ledger, self.outbox, clock, "guardian-alerts", CpuRules(), self.shelf)

    async def restarted(self) -> ReportDesk:
        """The same as a new process finds it."""
        again = ReportDesk(self.store, self.clock)
        await again.outbox.load()
        await again.desk.load()
        return again

    def says(self, target: str, firing: bool = True, level: Level = Level.CRITICAL) -> Report:
        """What is reported of a target now."""
        event = Reported(firing, level, self.clock.now, target)
        return Report(about(target), NO_LABELS, event, Layer.APPLICATION)

    async def report(self, *targets: str, firing: bool = True, level: Level = Level.CRITICAL) -> None:
        """The same of all of them, at once."""
        await self.desk.report([self.says(target, firing, level) for target in targets])

    async def fails_to_write(self) -> None:
        """The next transaction with a letter cannot be written: somebody has taken its number."""
        taken = next(self.outbox.next_ids()) + 1
        await self.store.write([NewLetter(letter(taken, stream="taken"))])

    def pages(self) -> dict[str, int]:
        """How often people were called, by target."""
        return {alert.subject.target: alert.pages for alert in self.desk.open()}

    def waiting(self, template: str) -> list[Letter]:
        """The unsent letters of that template, oldest first."""
        found = [each for each in self.outbox.waiting() if each.template == template]
        return sorted(found, key=lambda each: each.id)
