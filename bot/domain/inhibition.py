"""Inhibition: an alert that explains others mutes them (alerts.md, Resolve, reopen, silence).

Two kinds of rules. `depends_on` of a service: a critical alert of something that it depends on, at any number
of steps, mutes its alerts in the same environment. `inhibit` of the configuration: an alert that `source`
matches mutes those that `target` matches where the labels of `equal` are the same.

What has no fresh data mutes nothing, and nothing mutes itself. Dependencies are between states: a failed
run neither mutes by them nor is muted. Where alerts would mute each other, in a ring
of any length, the most upstream one of them stays, then the earliest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.labels import NO_SERVICES, Services
from bot.domain.levels import Level
from bot.domain.matchers import Matcher

FRESH = timedelta(minutes=5)
"""How old the last check of an alert that mutes others may be."""
REPORT_LASTS = timedelta(hours=5)
"""The same for an alert that others report: they say it again every few hours, and when it is over
(Alertmanager by default every four)."""
_RING = 200
"""How many alerts are looked at to find out whether some mute each other; a ring is two or three."""


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """One rule of the configuration. A label of `equal` that both lack is the same."""

    source: Matcher
    target: Matcher
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """An open alert as inhibition sees it: since when, when last checked. `key` is its dedupe key."""

    key: str
    id: int
    labels: Mapping[str, str]
    level: Level
    since: datetime
    last_at: datetime
    measured: bool = True
    """False for one that is about missing data"""
    lasts: timedelta | None = None
    """how long its last word holds; None: as long as a check's"""
    is_state: bool = True
    """False for a failed run: it explains nothing of what depends on its service, and nothing explains it"""

    def stale_at(self, fresh: timedelta) -> datetime:
        """From when on it says nothing about now any more."""
        return self.last_at + (fresh if self.lasts is None else self.lasts)

    def is_fresh(self, now: datetime, fresh: timedelta) -> bool:
        """Whether it says something about now."""
        return self.measured and now <= self.stale_at(fresh)


class Inhibition:
    """The rules, and the open alerts that may mute others, found by what they share with those."""

    def __init__(
        self,
        services: Services = NO_SERVICES,
        rules: tuple[InhibitRule, ...] = (),
        fresh: timedelta = FRESH,
    ) -> None:
        self._services = services
        self._rules = rules
        self._fresh = fresh
        self._upstream = {
            each.name: sorted(services.above(each.name), key=lambda name: (len(services.above(name)), name))
            for each in services.all
        }
        self.is_idle = not rules and not any(self._upstream.values())
        """whether no alert can ever mute another"""
        self._depended_on = {name for names in self._upstream.values() for name in names}
        self._sources: dict[str, tuple[Standing, tuple[tuple[object, ...], ...]]] = {}
        self._places: dict[tuple[object, ...], dict[str, Standing]] = {}
        self.changes = 0
        """rises whenever what may mute others has changed, figures aside"""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that could mute anything."""
        return not self._sources

    def known(self, key: str) -> Standing | None:
        """The open alert with that key, if it was put here and may mute others."""
        found = self._sources.get(key)
        return None if found is None else found[0]

    def put(self, alert: Standing) -> None:
        """An alert is open, as it is now."""
        places = tuple(self._places_of(alert))
        known = self._sources.get(alert.key)
        if known is None and not places:
            return
        if known is None or known[1] != places or known[0].measured != alert.measured:
            self.take(alert.key)
            self.changes += 1
        if places:
            self._sources[alert.key] = (alert, places)
        for place in places:
            self._places.setdefault(place, {})[alert.key] = alert

    def take(self, key: str) -> None:
        """The alert with that key is over."""
        known = self._sources.pop(key, None)
        if known is None:
            return
        self.changes += 1
        for place in known[1]:
            self._places[place].pop(key, None)
            if not self._places[place]:
                del self._places[place]

    def muted_by(self, alert: Standing, now: datetime) -> Standing | None:
        """The alert that mutes this one now; None if none does. Of several it is the one of the most upstream
        service, then the one that was put here first."""
        may_be_in_a_ring = alert.key in self._sources
        for source in self._muting(alert, now):
            if not may_be_in_a_ring or self._rank(source) < self._rank(alert):
                return source
            if not self._in_a_ring(alert, source, now):
                return source
        return None

    def goes_stale_at(self, now: datetime) -> datetime | None:
        """When the next alert that mutes now will not do so any more for want of fresh data."""
        moments = (alert.stale_at(self._fresh) for alert, _ in self._sources.values() if alert.measured)
        return min((moment for moment in moments if moment >= now), default=None)

    def _rank(self, alert: Standing) -> tuple[int, datetime, int, str]:
        above = self._services.above(alert.labels.get("service", ""))
        return len(above), alert.since, alert.id, alert.key

    def _in_a_ring(self, alert: Standing, source: Standing, now: datetime) -> bool:
        """Whether `alert` mutes `source`, itself or by way of others."""
        seen = {source.key}
        waiting = [source]
        while waiting and len(seen) < _RING:
            for other in self._muting(waiting.pop(), now):
                if other.key == alert.key:
                    return True
                if other.key not in seen:
                    seen.add(other.key)
                    waiting.append(other)
        return False

    def _muting(self, alert: Standing, now: datetime) -> Iterator[Standing]:
        """The alerts that a rule says mute this one, whatever mutes them."""
        for place in self._places_above(alert):
            for source in self._places.get(place, {}).values():
                if source.key != alert.key and source.is_fresh(now, self._fresh):
                    yield source

    def _places_of(self, alert: Standing) -> Iterator[tuple[object, ...]]:
        """Under what the alert is found by those that it mutes."""
        service = alert.labels.get("service", "")
        if alert.level >= Level.CRITICAL and service in self._depended_on and alert.is_state:
            yield "service", alert.labels.get("environment", ""), service
        for index, rule in enumerate(self._rules):
            if rule.source.matches(alert.labels, alert.level):
                yield index, *_shared(rule.equal, alert.labels)

    def _places_above(self, alert: Standing) -> Iterator[tuple[object, ...]]:
        """Under what those that mute the alert are found."""
        environment = alert.labels.get("environment", "")
        upstream = self._upstream.get(alert.labels.get("service", ""), ()) if alert.is_state else ()
        for service in upstream:
            yield "service", environment, service
        for index, rule in enumerate(self._rules):
            if rule.target.matches(alert.labels, alert.level):
                yield index, *_shared(rule.equal, alert.labels)


def _shared(names: Iterable[str], labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in names)


def inhibiting(source: Standing, level: Level) -> Cover:
    """What lies over an alert of that level because of `source`."""
    why = source.labels.get("service") or source.labels.get("target", "")
    return Cover(CoverKind.INHIBITED, str(source.id), None, None, why, level)
