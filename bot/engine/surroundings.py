"""What the alert machine asks while it decides: labels, route, covers, and whom a target reaches now.

There is one `Around` for each subject, kept, so that the answers that stay the same are found once: with ten
thousand subjects every check asks here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.alerts.covers import Cover
from bot.domain.alerts.ladder import Recipient, Target, TargetKind
from bot.domain.alerts.model import Alert, Condition, Subject
from bot.domain.alerts.surroundings import NO_LABELS, Route
from bot.domain.inhibition import REPORT_LASTS, Inhibition, Standing, inhibiting
from bot.domain.labels import NO_SERVICES, Services, labels_of
from bot.domain.levels import Level
from bot.domain.routing import Routes
from bot.domain.silences import Silence
from bot.engine.maintenance import Maintenance
from bot.engine.silences import Silences
from probes.base import Layer

_KEPT = 50_000
"""Subjects whose answers are kept; reported alerts may bring new ones for ever."""


class Duty(Protocol):
    """Who is on call."""

    def on_call(self, schedule: str, now: datetime) -> str | None:
        """The Slack user id of whoever is on call at that moment; None if nobody is."""
        ...


class People(Protocol):
    """Who is who in the workspace."""

    def id_of(self, handle: str) -> str | None:
        """The Slack user id of `@handle`; None if there is nobody of that name."""
        ...

    def group_of(self, handle: str) -> str | None:
        """The id of the user group `@handle`; None if there is none of that name."""
        ...

    def name_of(self, user: str) -> str:
        """What the user with that id is called."""
        ...


class Nobody:
    """Where no schedule is kept and nobody is known by name."""

    def on_call(self, schedule: str, now: datetime) -> str | None:
        """Nobody is."""
        return None

    def id_of(self, handle: str) -> str | None:
        """Nobody is called that."""
        return None

    def group_of(self, handle: str) -> str | None:
        """No group is called that."""
        return None

    def name_of(self, user: str) -> str:
        """Only the id is known."""
        return user


NOBODY = Nobody()


class SurroundingsBook:
    """Makes and keeps the surroundings of every subject.

    `covers_changed` rises whenever a silence, a window or what inhibits has changed, so that open alerts have
    to be looked at again; what changes by time alone does so at `next_cover_change`.
    """

    def __init__(
        self,
        routes: Routes,
        silences: Silences,
        maintenance: Maintenance,
        services: Services = NO_SERVICES,
        inhibition: Inhibition | None = None,
        duty: Duty = NOBODY,
        people: People = NOBODY,
    ) -> None:
        self.routes = routes
        self.services = services
        self.silences = silences
        self.maintenance = maintenance
        self.inhibition = inhibition or Inhibition(services)
        self.duty = duty
        self.people = people
        self._known: dict[str, Around] = {}
        """by the subject's key"""

    def of(self, subject: Subject, own: Mapping[str, str] = NO_LABELS, layer: Layer | None = None) -> Around:
        """The surroundings of that subject. `own` are a reported alert's labels, cleaned; they may change."""
        around = self._known.get(subject.key)
        if around is not None and (layer is None or around.layer is layer):
            # An open alert brings the labels that it was given here.
            if around.own == own or around.labels == own:
                return around
        if around is None and len(self._known) >= _KEPT:
            # The oldest go first; whoever is asked about again is made again.
            for old in list(self._known)[: _KEPT // 10]:
                del self._known[old]
        around = self._known[subject.key] = Around(self, subject, own, layer)
        return around

    @property
    def covers_changed(self) -> int:
        """A number that is another one when covers may have changed since it was read."""
        return self.silences.changes + self.maintenance.changes + self.inhibition.changes

    def next_cover_change(self, now: datetime) -> datetime | None:
        """When covers change next by time alone: a silence or window begins or ends, or an alert that
        inhibits goes without fresh data. None if nothing is to come."""
        moments = (
            self.silences.next_change(now),
            self.maintenance.next_change(now),
            self.inhibition.goes_stale_at(now),
        )
        return min((moment for moment in moments if moment is not None), default=None)

    def know(self, alerts: Iterable[Alert]) -> None:
        """These alerts are as they are now: open ones may inhibit others, the rest no longer do."""
        if self.inhibition.is_idle:
            return
        for alert in alerts:
            if alert.status.is_open:
                self.inhibition.put(standing_of(alert, self._labels(alert)))
            else:
                self.inhibition.take(alert.subject.key)

    def forget(self, key: str) -> None:
        """The alert with that dedupe key is no more."""
        self.inhibition.take(key)

    def _labels(self, alert: Alert) -> Mapping[str, str]:
        return alert.labels or self.of(alert.subject, layer=alert.layer).labels


@dataclass(frozen=True, slots=True)
class _Matching:
    """The silences that match a subject at one level, of all up to number `newest`, as of that change."""

    as_of: int
    newest: int
    silences: tuple[Silence, ...]


_NOTHING_ASKED = _Matching(-1, 0, ())


class Around:
    """The surroundings of one subject, as `bot.domain.alerts.surroundings.Surroundings` asks for them."""

    __slots__ = (
        "_book",
        "_is_state",
        "_key",
        "_labels",
        "_matching",
        "_routed",
        "layer",
        "own",
    )

    def __init__(
        self, book: SurroundingsBook, subject: Subject, own: Mapping[str, str], layer: Layer | None
    ) -> None:
        self._book = book
        self._key = subject.key
        self._is_state = subject.condition.is_state
        self._labels = labels_of(subject, layer, own, book.services)
        self._routed: tuple[Level, Route] | None = None
        """the route that was asked for last"""
        self._matching: dict[Level, _Matching] | None = None
        self.own = own
        self.layer = layer

    @property
    def labels(self) -> Mapping[str, str]:
        """The subject's labels without `level`."""
        return self._labels

    def route(self, level: Level) -> Route:
        """Where an alert of this subject goes at that level."""
        routed = self._routed
        if routed is None or routed[0] is not level:
            routed = self._routed = (level, self._book.routes.route(self._labels, level))
        return routed[1]

    def cover(self, level: Level, now: datetime, without: Collection[str] = ()) -> Cover | None:
        """Why nobody should be told of an alert of this subject now: a silence, else a window, else another
        alert that explains it."""
        for silence in self._silences(level):
            if silence.is_active(now) and str(silence.id) not in without:
                return silence.cover(level)
        for window, until in self._book.maintenance.under_way(now):
            if window.matcher.matches(self._labels, level):
                return window.cover(level, until)
        inhibition = self._book.inhibition
        if inhibition.is_empty:
            return None
        source = inhibition.muted_by(self._standing(level, now), now)
        return None if source is None else inhibiting(source, level)

    def reach(self, targets: Sequence[Target], now: datetime) -> tuple[Recipient, ...]:
        """Who or what those targets are now, each once: schedules have become people, handles ids. Who is
        not found is left out."""
        found = (self._recipient(target, now) for target in targets)
        return tuple(dict.fromkeys(each for each in found if each is not None))

    def _silences(self, level: Level) -> tuple[Silence, ...]:
        """Those that match, whether they hold just now or not; the last one to end comes first."""
        silences = self._book.silences
        if silences.none_known:
            return ()
        if self._matching is None:
            self._matching = {}
        known = self._matching.get(level, _NOTHING_ASKED)
        if known.as_of != silences.changes:
            # Only what is new is asked: with ten thousand subjects and many silences all would take a second.
            kept = [each for each in known.silences if silences.has(each.id)]
            new = silences.newer_than(known.newest)
            kept += [each for each in new if each.matcher.matches(self._labels, level)]
            kept.sort(key=lambda each: each.ends_at, reverse=True)
            newest = new[-1].id if new else known.newest
            known = self._matching[level] = _Matching(silences.changes, newest, tuple(kept))
        return known.silences

    def _standing(self, level: Level, now: datetime) -> Standing:
        """This subject's alert as inhibition sees it; one that is about to open is the latest of all."""
        known = self._book.inhibition.known(self._key)
        since, number = (now, 0) if known is None else (known.since, known.id)
        return Standing(self._key, number, self._labels, level, since, now, is_state=self._is_state)

    def _recipient(self, target: Target, now: datetime) -> Recipient | None:
        match target.kind:
            case TargetKind.SCHEDULE:
                return self._person(self._book.duty.on_call(target.name, now))
            case TargetKind.PERSON if target.name.startswith("@"):
                return self._person(self._book.people.id_of(target.name))
            case TargetKind.PERSON:
                return self._person(target.name)
            case TargetKind.GROUP if target.name.startswith("@"):
                group = self._book.people.group_of(target.name)
                return None if group is None else Recipient(TargetKind.GROUP, group, target.name)
        return Recipient(target.kind, target.name, target.name)

    def _person(self, user: str | None) -> Recipient | None:
        if user is None:
            return None
        return Recipient(TargetKind.PERSON, user, self._book.people.name_of(user))


def standing_of(alert: Alert, labels: Mapping[str, str]) -> Standing:
    """An open alert as inhibition sees it."""
    return Standing(
        key=alert.subject.key,
        id=alert.id,
        labels=labels,
        level=alert.level,
        since=alert.fired_at or alert.detected_at,
        last_at=alert.last_at,
        measured=alert.subject.condition is not Condition.NO_DATA and alert.problem is None,
        lasts=REPORT_LASTS if alert.subject.condition.is_others else None,
        is_state=alert.subject.condition.is_state,
    )
