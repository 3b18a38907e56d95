"""What one can ask and do about silences, maintenance windows and routes: facts for commands and buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.alerts.model import Alert, Condition, Subject
from bot.domain.alerts.surroundings import NO_LABELS
from bot.domain.labels import labels_of
from bot.domain.maintenance import Weekly, Window
from bot.domain.matcher_notation import MatcherInvalid
from bot.domain.silences import CoverFault, Silence, Wanted, wanted_silence, wanted_window
from bot.engine.board import Board
from bot.engine.clock import Clock
from bot.engine.desk import AlertDesk
from bot.engine.routes import asked_labels, route_facts
from bot.engine.silences import MustConfirm, Refused, about
from bot.engine.surroundings import SurroundingsBook
from messages.cover_facts import (
    CoverConfirmFacts,
    CoverRefusedFacts,
    RouteFacts,
    SilenceDoneFacts,
    SilenceFacts,
    SilenceModalFacts,
    WindowDoneFacts,
    WindowFacts,
)
from probes.base import Layer

_SHOWN = 10
SILENCE, MAINTENANCE, ROUTE = "silence", "maintenance", "route"

Outcome = CoverRefusedFacts | CoverConfirmFacts


class Covers:
    """The face of silences, windows and routes."""

    def __init__(
        self,
        book: SurroundingsBook,
        desk: AlertDesk,
        clock: Clock,
        zone: ZoneInfo,
        environment: str,
        slash: str,
        board: Board | None = None,
    ) -> None:
        """`zone` is that of times of day in commands, `slash` the command as people type it. `board` knows
        all that is watched, so that what would hide all of it is asked for twice."""
        self._book = book
        self._desk = desk
        self._board = board
        self._clock = clock
        self._zone = zone
        self._environment = environment
        self._slash = slash

    def now(self) -> datetime:
        """Now, to the second."""
        return self._clock().replace(microsecond=0)

    # Silences

    def silences(self) -> tuple[SilenceFacts, ...]:
        """Those that hold or will."""
        return tuple(map(_silence_facts, self._book.silences.unfinished(self._clock())))

    async def silence(self, text: str, by: str, *, confirmed: bool) -> SilenceDoneFacts | Outcome:
        """What somebody typed behind `silence`. Raises StoreUnavailable."""
        wanted = self._read(SILENCE, wanted_silence, text, by)
        if isinstance(wanted, CoverRefusedFacts):
            return wanted
        return await self.silence_as(wanted, confirmed=confirmed)

    async def silence_as(self, wanted: Wanted, *, confirmed: bool) -> SilenceDoneFacts | Outcome:
        """The silence that somebody asks for. Raises StoreUnavailable."""
        alerts, known = self._desk.open(), self._watched()
        made = await self._book.silences.add(wanted, alerts, known, confirmed=confirmed)
        if isinstance(made, Silence):
            return self._done(made)
        return self._refused(SILENCE, made)

    async def silence_alert(
        self, alert_id: int, length: timedelta, by: str, reason: str
    ) -> SilenceDoneFacts | CoverRefusedFacts | None:
        """A silence about exactly what that alert is about; None if the alert is no more. Raises
        StoreUnavailable."""
        alert = self._desk.alert(alert_id)
        if alert is None:
            return None
        made = await self._book.silences.for_alert(alert, length, by, reason)
        return self._fault(SILENCE, made.fault) if isinstance(made, Refused) else self._done(made)

    def modal(self, alert_id: int) -> SilenceModalFacts | None:
        """The form for a silence about that alert; None if the alert is no more."""
        alert = self._desk.alert(alert_id)
        return None if alert is None else SilenceModalFacts(self._desk.facts(alert), str(about(alert)))

    async def lift(self, number: int, by: str) -> SilenceDoneFacts | None:
        """End a silence; None if there is none of that number. Raises StoreUnavailable."""
        lifted = await self._book.silences.lift(number, by)
        return None if lifted is None else SilenceDoneFacts(_silence_facts(lifted), "lifted", 0)

    # Maintenance

    def windows(self) -> tuple[WindowFacts, ...]:
        """Those that are under way or will be."""
        now = self._clock()
        facts = (_window_facts(window, now) for window in self._book.maintenance.unfinished(now))
        return tuple(each for each in facts if each is not None)

    async def maintain(self, text: str, by: str, *, confirmed: bool) -> WindowDoneFacts | Outcome:
        """What somebody typed behind `maintenance add`. Raises StoreUnavailable."""
        wanted = self._read(MAINTENANCE, wanted_window, text, by)
        if isinstance(wanted, CoverRefusedFacts):
            return wanted
        return await self.maintain_as(wanted, confirmed=confirmed)

    async def maintain_as(self, wanted: Wanted, *, confirmed: bool) -> WindowDoneFacts | Outcome:
        """The window that somebody asks for. Raises StoreUnavailable."""
        alerts, known = self._desk.open(), self._watched()
        made = await self._book.maintenance.add(wanted, alerts, known, confirmed=confirmed)
        if isinstance(made, Window):
            return self._made(made, "added")
        return self._refused(MAINTENANCE, made)

    async def end(self, number: int, by: str) -> WindowDoneFacts | None:
        """End a window that a command made; None if there is none of that number. Raises StoreUnavailable."""
        window = self._book.maintenance.made(number)
        ended = await self._book.maintenance.end(number, by)
        return None if ended is None or window is None else self._made(window, "ended")

    # Routes

    def route(self, text: str) -> RouteFacts | CoverRefusedFacts:
        """Which way an alert with the labels of `text` goes."""
        try:
            labels, level = asked_labels(text)
        except MatcherInvalid as invalid:
            return self._invalid(ROUTE, invalid)
        return route_facts(self._book.routes, self._book.services, self._environment, labels, level)

    def _watched(self) -> Iterator[Mapping[str, str]]:
        """The labels of everything that is measured here."""
        for probe in self._board.probes() if self._board is not None else ():
            for reading in probe.readings:
                source = f"{probe.name}:{probe.target}"
                subject = Subject(
                    self._environment, source, reading.metric, reading.target, Condition.THRESHOLD
                )
                yield labels_of(subject, Layer(probe.layer), NO_LABELS, self._book.services)

    def _read(
        self,
        what: str,
        read: Callable[[str, str, datetime, ZoneInfo], Wanted | CoverFault],
        text: str,
        by: str,
    ) -> Wanted | CoverRefusedFacts:
        try:
            wanted = read(text, by, self._clock(), self._zone)
        except MatcherInvalid as invalid:
            return self._invalid(what, invalid)
        return self._fault(what, wanted) if isinstance(wanted, CoverFault) else wanted

    def _invalid(self, what: str, invalid: MatcherInvalid) -> CoverRefusedFacts:
        fault = f"matcher_{invalid.fault.value}"
        return CoverRefusedFacts(what, fault, self._slash, dict(invalid.values))

    def _fault(self, what: str, fault: CoverFault) -> CoverRefusedFacts:
        return CoverRefusedFacts(what, fault.value, self._slash)

    def _refused(self, what: str, outcome: Refused | MustConfirm) -> Outcome:
        if isinstance(outcome, Refused):
            return self._fault(what, outcome.fault)
        wanted = outcome.wanted
        return CoverConfirmFacts(
            what=what,
            matcher=str(wanted.matcher),
            starts_at=wanted.starts_at.isoformat(),
            ends_at=wanted.ends_at.isoformat(),
            reason=wanted.reason,
            everything=outcome.everything,
            hides=tuple(map(self._desk.facts, outcome.hides[:_SHOWN])),
            total=len(outcome.hides),
        )

    def _done(self, silence: Silence) -> SilenceDoneFacts:
        return SilenceDoneFacts(
            _silence_facts(silence), "added", _count(self._desk.each_open(), silence, self._clock())
        )

    def _made(self, window: Window, action: str) -> WindowDoneFacts:
        facts = _window_facts(window, self._clock())
        if facts is None:
            raise LookupError("a window that is over was neither made nor ended")
        return WindowDoneFacts(facts, action)


def _count(alerts: Iterable[Alert], silence: Silence, now: datetime) -> int:
    return sum(silence.covers(alert.labels, alert.level, now) for alert in alerts)


def _silence_facts(silence: Silence) -> SilenceFacts:
    return SilenceFacts(
        id=silence.id,
        matcher=str(silence.matcher),
        starts_at=silence.starts_at.isoformat(),
        ends_at=silence.ends_at.isoformat(),
        owner=silence.owner,
        reason=silence.reason,
    )


def _window_facts(window: Window, now: datetime) -> WindowFacts | None:
    span = next(iter(window.times.spans(now)), None)
    if span is None:
        return None
    return WindowFacts(
        id=window.id,
        name=window.name,
        matcher=str(window.matcher),
        active=span[0] <= now,
        starts_at=span[0].isoformat(),
        ends_at=span[1].isoformat(),
        weekly=isinstance(window.times, Weekly),
        owner=window.owner,
        reason=window.reason,
    )
