"""Freezes: times in which operations must not start. From the configuration (weekdays, hours, holidays) or
by command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from bot.domain.maintenance import Once, Weekly
from bot.domain.oncall.localtime import local_day, moment_of

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=60)
PROTECTIVE = frozenset({"backup", "backup_verify", "cleanup_undo", "rollback"})
"""Operations that protect or bring back: whoever asks for one needs nobody's approval, and a freeze is about
them only if it names them."""


@dataclass(frozen=True, slots=True)
class Holidays:
    """Whole days, in local time."""

    days: frozenset[date]
    zone: ZoneInfo

    def active_until(self, now: datetime) -> datetime | None:
        """When the last of the holidays in a row ends, if it is one at that moment."""
        day = local_day(now, self.zone)
        if day not in self.days:
            return None
        while day in self.days:
            day += timedelta(days=1)
        return moment_of(day, datetime.min.time(), self.zone)

    def spans(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Each of the days that is not over, in order."""
        for day in sorted(self.days):
            begins, ends = (
                moment_of(each, datetime.min.time(), self.zone) for each in (day, day + timedelta(days=1))
            )
            if now < ends:
                yield begins, ends

    def is_over(self, now: datetime) -> bool:
        """Whether the last of them has ended."""
        return local_day(now, self.zone) > max(self.days, default=date.min)


@dataclass(frozen=True, slots=True)
class Freeze:
    """A freeze and what it is about."""

    name: str
    times: Once | Weekly | Holidays
    operations: frozenset[str] = field(default_factory=frozenset)
    """those that must not start; none named: all but the `PROTECTIVE` ones"""
    subject: str = "*"
    """a pattern of subjects, `production*`"""
    reason: str = ""
    id: int = 0
    """0 for one of the configuration"""
    by: str | None = None
    ended_at: datetime | None = None

    @property
    def ref(self) -> str:
        """What names it."""
        return f"#{self.id}" if self.id else self.name

    def active_until(self, now: datetime) -> datetime | None:
        """When it ends, if it holds at that moment."""
        return None if self.ended_at is not None else self.times.active_until(now)

    def is_over(self, now: datetime) -> bool:
        """Whether it will never hold again."""
        return self.ended_at is not None or self.times.is_over(now)

    def concerns(self, operation: str, subject: str) -> bool:
        """Whether it is about that operation on that subject."""
        named = operation in self.operations if self.operations else operation not in PROTECTIVE
        return named and fnmatchcase(subject, self.subject)


def frozen_by(
    freezes: Iterable[Freeze], operation: str, subject: str, now: datetime
) -> tuple[Freeze, datetime] | None:
    """The freeze that keeps that operation from starting now, and its end; of several the one that ends
    last."""
    found = (
        (freeze, until)
        for freeze in freezes
        if freeze.concerns(operation, subject) and (until := freeze.active_until(now)) is not None
    )
    return max(found, key=lambda pair: pair[1], default=None)


def next_freeze(
    freezes: Iterable[Freeze], operation: str, subject: str, now: datetime, latest: datetime
) -> tuple[Freeze, datetime] | None:
    """The freeze that would next keep that operation from starting, and when it begins: after `now`, and at
    `latest` at the latest."""
    found = (
        (freeze, begins)
        for freeze in freezes
        if freeze.ended_at is None and freeze.concerns(operation, subject)
        for begins, _ in freeze.times.spans(now)
        if now < begins <= latest
    )
    return min(found, key=lambda pair: pair[1], default=None)
