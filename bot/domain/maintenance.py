"""Maintenance windows: times at which trouble is expected, once or every week.

A recurring window is written in local time, and follows it where the clocks change
(`bot.domain.oncall.localtime`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.levels import Level
from bot.domain.matchers import Matcher
from bot.domain.oncall.localtime import local_day, moment_of
from bot.domain.oncall.model import Hours

LONGEST = timedelta(days=30)
"""The longest one-off window that a command may make."""


@dataclass(frozen=True, slots=True)
class Once:
    """From one moment until before another."""

    starts_at: datetime
    ends_at: datetime

    def spans(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The one time that there is, unless it is over."""
        if now < self.ends_at:
            yield self.starts_at, self.ends_at

    def active_until(self, now: datetime) -> datetime | None:
        """When it ends, if it is under way at that moment."""
        return _end_of(self.spans(now), now)

    def is_over(self, now: datetime) -> bool:
        """Whether it will never come again."""
        return self.ends_at <= now


@dataclass(frozen=True, slots=True)
class Weekly:
    """At those hours of the days on which they begin (0 is Monday)."""

    days: frozenset[int]
    hours: Hours
    zone: ZoneInfo

    def spans(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Those that are under way, and those that begin within eight days, in order."""
        today = local_day(now, self.zone)
        for offset in range(-1, 9):
            day = today + timedelta(days=offset)
            if day.weekday() not in self.days:
                continue
            last = day + timedelta(days=1) if self.hours.into_next_day else day
            begins = moment_of(day, self.hours.start, self.zone)
            ends = moment_of(last, self.hours.end, self.zone)
            # Hours that the clocks leave out altogether do not take place.
            if now < ends and begins < ends:
                yield begins, ends

    def active_until(self, now: datetime) -> datetime | None:
        """When it ends, if it is under way at that moment."""
        return _end_of(self.spans(now), now)

    def is_over(self, now: datetime) -> bool:
        """Never: it comes again every week."""
        return False


def _end_of(spans: Iterable[tuple[datetime, datetime]], now: datetime) -> datetime | None:
    return max((ends for begins, ends in spans if begins <= now), default=None)


@dataclass(frozen=True, slots=True)
class Window:
    """A window with what it is about. `id` is 0 for one of the configuration; `owner` is a Slack user id."""

    name: str
    matcher: Matcher
    times: Once | Weekly
    reason: str = ""
    id: int = 0
    owner: str | None = None
    created_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def ref(self) -> str:
        """What names it: its number if a command made it, its name if the configuration did."""
        return f"#{self.id}" if self.id else self.name

    def active_until(self, now: datetime) -> datetime | None:
        """When it ends, if it is under way at that moment."""
        return None if self.ended_at is not None else self.times.active_until(now)

    def next_change(self, now: datetime) -> datetime | None:
        """When it begins or ends next after that moment; None if never again."""
        if self.ended_at is not None:
            return None
        moments = (moment for span in self.times.spans(now) for moment in span if moment > now)
        return min(moments, default=None)

    def is_over(self, now: datetime) -> bool:
        """Whether it will never hold again."""
        return self.ended_at is not None or self.times.is_over(now)

    def cover(self, level: Level, until: datetime) -> Cover:
        """What lies over an alert of that level because of this."""
        return Cover(CoverKind.MAINTENANCE, self.ref, until, self.owner, self.reason or self.name, level)
