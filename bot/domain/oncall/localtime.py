"""From a local day and time to the moment that is meant, also where the clocks are changed.

- A time that does not exist (clocks go forward) is the moment of the jump: the first one after it.
- A time that exists twice (clocks go back) is the first of the two.

So moments never come in another order than the local times they stand for, and what ends at a time meets
what begins at it, whatever the clocks do.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=8192)
def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which it is `at` on `day` in that zone. `at` has whole seconds."""
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    return _jump(local.replace(fold=1).astimezone(UTC), moment, zone)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day that the calendar shows in that zone."""
    return moment.astimezone(zone).date()


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between these two at which the zone's offset changes, to the second."""
    new = after.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == new:
            after = middle
        else:
            before = middle
    return after
