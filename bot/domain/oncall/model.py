"""The values of on-call duty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Names of the days, by `date.weekday()`."""
ALL_DAYS = frozenset(range(7))


class Pace(StrEnum):
    """What makes a rotation move on: the calendar, or time that passes."""

    DAILY = "daily"
    WEEKLY = "weekly"
    HOURS = "hours"


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day in local time; an end that is not behind the start is on the day after."""

    start: time
    end: time

    @property
    def into_next_day(self) -> bool:
        """Whether it ends on the day after the one it begins on."""
        return self.end <= self.start


@dataclass(frozen=True, slots=True)
class Rotation:
    """People who take turns: one layer of a schedule.

    `begins`: the first turn's begin; before it the rotation has nobody. `at`: local time of the hand-over of
    daily and weekly turns, `weekday` its day for weekly ones. `length`: how long a turn of Pace.HOURS lasts,
    in time that passes, whatever the clocks show. `hours` and `days` restrict when the rotation is on duty;
    turns go on beneath. `days` are those on which the hours begin.
    """

    people: tuple[str, ...]
    """references, `@handle` or a Slack user id; one may come twice"""
    pace: Pace
    begins: datetime
    at: time = time(9)
    weekday: int = 0
    length: timedelta = timedelta(hours=24)
    hours: Hours | None = None
    days: frozenset[int] = ALL_DAYS

    @property
    def is_restricted(self) -> bool:
        """Whether there are times at which this rotation has nobody on duty."""
        return self.hours is not None or self.days != ALL_DAYS


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rotations in layers: where two have somebody, the later one counts."""

    name: str
    zone: ZoneInfo
    rotations: tuple[Rotation, ...]
    gaps_allowed: bool = False
    """whether times without anybody are meant"""
    overlaps_allowed: bool = False
    """whether rotations with hours or days of their own may lie upon each other"""


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody stands in: counts before all rotations; of two, the one with the higher number."""

    id: int
    schedule: str
    user: str
    """Slack user id"""
    start: datetime
    end: datetime
    by: str
    """user id of whoever said so"""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A time from `start` up to, and without, `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Shift:
    """A time in which the same person is on call; `person` is None where nobody is. `override`: the number of
    the override that says so."""

    person: str | None
    start: datetime
    end: datetime
    override: int | None = None
