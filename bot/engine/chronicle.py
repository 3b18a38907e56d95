"""What was written, as a story: which event became what, who was told, who was paged, and why.

Whatever happens is a list of changes that the ledger writes as one transaction, so whoever reads those has
seen everything: letters, pages, silence with its reason, and what never became an alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.alerts.model import Alert, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import Letter
from bot.domain.levels import Level
from bot.engine.clock import Clock
from bot.engine.ledger import Ledger
from bot.store.changes import (
    Change,
    ChangedAlert,
    DecisionMade,
    DroppedAlert,
    NewAlert,
    NewLetter,
    PageMade,
)
from bot.store.store import Store


@dataclass(frozen=True, slots=True)
class Entry:
    """What one event made of one alert. `alert` is as it was afterwards; it is None for what a storm tells of
    all that it gathers. Without letters nobody has seen anything of it."""

    at: datetime
    alert: Alert | None
    reason: Reason | None = None
    actor: str | None = None
    letters: tuple[Letter, ...] = ()
    pages: tuple[PageMade, ...] = ()
    storm: int | None = None
    dropped: bool = False
    """it was bad and good again before it was confirmed: a false start"""


@dataclass(slots=True)
class _Draft:
    """What a transaction says about one alert, until all of it is read."""

    reason: Reason | None = None
    actor: str | None = None
    letters: list[Letter] = field(default_factory=list)
    pages: list[PageMade] = field(default_factory=list)
    dropped: bool = False


class Chronicle:
    """Everything that was written, in order. `worst_for` says how long each level was the worst open one;
    None stands for the time in which nothing was open."""

    def __init__(self, begins: datetime) -> None:
        self.entries: list[Entry] = []
        self.alerts: dict[int, Alert] = {}
        """by number, as they are now; false starts are left out"""
        self.pages: list[PageMade] = []
        self.worst_for: dict[Level | None, timedelta] = {}
        self._open: dict[int, Level] = {}
        self._counted_until = begins

    def note(self, at: datetime, changes: Iterable[Change]) -> None:
        """Take in one transaction."""
        drafts: dict[int, _Draft] = {}
        storms: dict[int, list[Letter]] = {}
        gone: dict[int, Alert] = {}
        for change in changes:
            match change:
                case NewAlert(alert) | ChangedAlert(alert, _):
                    self._put(at, alert)
                case DroppedAlert(alert_id):
                    drafts.setdefault(alert_id, _Draft()).dropped = True
                    if alert_id in self.alerts:
                        gone[alert_id] = self.alerts.pop(alert_id)
                case DecisionMade():
                    draft = drafts.setdefault(change.alert_id, _Draft())
                    if draft.reason is None or change.reason is not Reason.STEP_EMPTY:
                        # Steps that reached nobody stand beside what the event made of the alert.
                        draft.reason, draft.actor = change.reason, change.actor
                case PageMade():
                    drafts.setdefault(change.alert_id, _Draft()).pages.append(change)
                    self.pages.append(change)
                case NewLetter(letter):
                    kind, number = letter.stream.split(":")[:2]
                    if kind == "storm":
                        storms.setdefault(int(number), []).append(letter)
                    elif kind == "alert":
                        drafts.setdefault(int(number), _Draft()).letters.append(letter)
        for storm, letters in storms.items():
            self.entries.append(Entry(at, None, letters=tuple(letters), storm=storm))
        for alert_id, draft in drafts.items():
            about = gone.get(alert_id) or self.alerts.get(alert_id)
            if draft.letters or draft.pages or draft.reason is not None or draft.dropped:
                self.entries.append(_entry(at, about, draft))

    def count_until(self, at: datetime) -> None:
        """Count the time up to a moment; a clock that was put back counts nothing twice."""
        passed = at - self._counted_until
        self._counted_until = at
        if passed > timedelta(0):
            worst = max(self._open.values(), default=None)
            self.worst_for[worst] = self.worst_for.get(worst, timedelta(0)) + passed

    def about(self, alert_id: int) -> Iterator[Entry]:
        """The entries about one alert."""
        return (entry for entry in self.entries if entry.alert is not None and entry.alert.id == alert_id)

    def opened(self) -> list[Alert]:
        """The alerts that fired, whether people were told or not, as they are now."""
        return [alert for alert in self.alerts.values() if alert.status is not Status.PENDING]

    @property
    def false_starts(self) -> int:
        """How often something was bad and good again before it was confirmed."""
        return sum(entry.dropped for entry in self.entries)

    def _put(self, at: datetime, alert: Alert) -> None:
        level = alert.level if alert.status.is_open else None
        if level is not self._open.get(alert.id):
            self.count_until(at)
            if level is None:
                self._open.pop(alert.id, None)
            else:
                self._open[alert.id] = level
        self.alerts[alert.id] = alert


def _entry(at: datetime, alert: Alert | None, draft: _Draft) -> Entry:
    reason = Reason.PENDING_DROPPED if draft.dropped else draft.reason
    entry = Entry(at, alert, reason, draft.actor, tuple(draft.letters), tuple(draft.pages))
    return replace(entry, dropped=draft.dropped)


class NotedLedger(Ledger):
    """A ledger whose transactions are also a chronicle."""

    def __init__(self, store: Store, clock: Clock, chronicle: Chronicle) -> None:
        super().__init__(store, clock)
        self._chronicle = chronicle

    async def write(self, changes: Sequence[Change]) -> None:
        """Write, and then take in what was written."""
        await super().write(changes)
        self._chronicle.note(self._clock(), changes)
