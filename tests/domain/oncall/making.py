"""Short ways to write schedules in tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from bot.domain.oncall.localtime import moment_of
from bot.domain.oncall.model import ALL_DAYS, WEEKDAYS, Hours, Override, Pace, Rotation, Schedule

SEOUL, BERLIN, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def rotation(
    *people: str,
    pace: Pace = Pace.WEEKLY,
    start: str = "2026-01-05",
    at: str = "09:00",
    on: str = "mon",
    hours: str | None = None,
    days: str = "",
    zone: ZoneInfo = SEOUL,
) -> Rotation:
    """A rotation as the configuration would write it."""
    begin_at = time.fromisoformat(at)
    return Rotation(
        people=people,
        pace=pace,
        begins=moment_of(date.fromisoformat(start), begin_at, zone),
        at=begin_at,
        weekday=WEEKDAYS.index(on),
        hours=None if hours is None else Hours(*map(time.fromisoformat, hours.split("-"))),
        days=frozenset(map(WEEKDAYS.index, days.split())) if days else ALL_DAYS,
    )


def schedule(*rotations: Rotation, zone: ZoneInfo = SEOUL) -> Schedule:
    """A schedule named primary."""
    return Schedule("primary", zone, rotations)


def at(text: str, zone: ZoneInfo = SEOUL) -> datetime:
    """A local time as a moment in UTC; `+` behind it means the second of two."""
    local = datetime.fromisoformat(text.removesuffix("+"))
    return local.replace(tzinfo=zone, fold=1 if text.endswith("+") else 0).astimezone(UTC)


def override(user: str, start: str, end: str, number: int = 1) -> Override:
    """Somebody stands in, in Seoul."""
    why = "a doctor's appointment"
    return Override(number, "primary", user, at(start), at(end), by="U0BOSS001", why=why)
