"""Every alert that can still move, by whatever one asks for it with, and what is due when."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.domain.alerts.model import Alert, Status
from bot.domain.alerts.paging import deadline_of


class LiveAlerts:
    """Alerts by dedupe key, with indexes by id and source and a queue of their deadlines.

    The queue may hold moments that no longer count; what counts is what the alert itself says.
    """

    def __init__(self) -> None:
        self._by_key: dict[str, Alert] = {}
        self._key_of: dict[int, str] = {}
        self._of_source: dict[str, str | set[str]] = {}
        """keys; nearly every source has one, and sets of one would take 2 MB in a storm"""
        self._open: dict[str, Alert] = {}
        self._queue: list[tuple[datetime, str]] = []
        self._queued: dict[str, datetime] = {}

    def __iter__(self) -> Iterator[Alert]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def fill(self, alerts: Iterable[Alert]) -> None:
        """Begin anew with these alerts."""
        for held in (self._by_key, self._key_of, self._of_source, self._open, self._queue, self._queued):
            held.clear()
        for alert in alerts:
            self.put(alert)

    def get(self, key: str) -> Alert | None:
        """The alert with that dedupe key."""
        return self._by_key.get(key)

    def by_id(self, alert_id: int) -> Alert | None:
        """The alert with that number."""
        key = self._key_of.get(alert_id)
        return None if key is None else self._by_key[key]

    def of_source(self, source: str) -> list[Alert]:
        """All alerts of that source."""
        keys = self._of_source.get(source, set())
        return [self._by_key[key] for key in ((keys,) if isinstance(keys, str) else keys)]

    def open(self) -> list[Alert]:
        """Alerts that people have been told of and that are not over: first those that nobody has taken, of
        these the worst, then the oldest."""
        return sorted(
            self._open.values(), key=lambda alert: (alert.status is Status.ACKED, -alert.level, alert.id)
        )

    def each_open(self) -> Iterable[Alert]:
        """The same in no order."""
        return self._open.values()

    def put(self, alert: Alert) -> None:
        """Remember an alert as it is now."""
        key = alert.subject.key
        known = self._by_key.get(key)
        if known is None or known.id != alert.id:
            if known is not None:
                self._key_of.pop(known.id, None)
            self._key_of[alert.id] = key
            self._index(alert.subject.source, key)
        self._by_key[key] = alert
        if alert.status is Status.FIRING or alert.status is Status.ACKED:
            self._open[key] = alert
            self._queue_up(key, deadline_of(alert))
        else:
            self._open.pop(key, None)
            self._queued.pop(key, None)

    def exchange(self, alert: Alert) -> None:
        """Remember an alert that is known just like this, but for the storm that gathers it."""
        key = alert.subject.key
        self._by_key[key] = alert
        if key in self._open:
            self._open[key] = alert

    def drop(self, key: str) -> None:
        """Forget the alert with that key, if there is one."""
        alert = self._by_key.pop(key, None)
        if alert is None:
            return
        self._key_of.pop(alert.id, None)
        self._open.pop(key, None)
        self._queued.pop(key, None)
        source = alert.subject.source
        keys = self._of_source[source]
        if isinstance(keys, set) and len(keys) > 1:
            keys.discard(key)
        else:
            del self._of_source[source]

    def next_due(self) -> datetime | None:
        """When something is due next; None while nothing is."""
        while self._queue:
            moment, key = self._queue[0]
            if self._queued.get(key) == moment:
                return moment
            heapq.heappop(self._queue)
        return None

    def due(self, now: datetime, most: int) -> list[Alert]:
        """At most `most` alerts of which something is due, the longest overdue first. They are due again
        when `put` says so."""
        found: list[Alert] = []
        while len(found) < most:
            moment = self.next_due()
            if moment is None or moment > now:
                break
            _, key = heapq.heappop(self._queue)
            del self._queued[key]
            found.append(self._by_key[key])
        return found

    def _index(self, source: str, key: str) -> None:
        keys = self._of_source.setdefault(source, key)
        if isinstance(keys, set):
            keys.add(key)
        elif keys != key:
            self._of_source[source] = {keys, key}

    def _queue_up(self, key: str, moment: datetime | None) -> None:
        if moment is None:
            self._queued.pop(key, None)
        elif self._queued.get(key) != moment:
            self._queued[key] = moment
            heapq.heappush(self._queue, (moment, key))
