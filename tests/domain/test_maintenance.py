"""Maintenance windows: when they are under way, over midnight and where the clocks change too."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.maintenance import Once, Weekly, Window
from bot.domain.matcher_notation import parse
from bot.domain.oncall.model import ALL_DAYS, Hours

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
EVERYTHING = parse("*")


def weekly(start: str, end: str, days: frozenset[int] = ALL_DAYS, zone: ZoneInfo = SEOUL) -> Window:
    hours = Hours(time.fromisoformat(start), time.fromisoformat(end))
    return Window("w", EVERYTHING, Weekly(days, hours, zone))


def local(text: str, zone: ZoneInfo = SEOUL, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def test_once() -> None:
    window = Window("w", EVERYTHING, Once(local("2026-03-01 22:00"), local("2026-03-02 02:00")))
    assert window.active_until(local("2026-03-01 21:59")) is None
    assert window.active_until(local("2026-03-01 22:00")) == local("2026-03-02 02:00")
    assert window.active_until(local("2026-03-02 02:00")) is None
    assert window.next_change(local("2026-03-01 21:00")) == local("2026-03-01 22:00")
    assert window.next_change(local("2026-03-01 23:00")) == local("2026-03-02 02:00")
    assert window.next_change(local("2026-03-02 03:00")) is None
    assert window.is_over(local("2026-03-02 02:00"))


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-03-06 23:30", "2026-03-07 01:00"),  # a Friday
        ("2026-03-07 00:30", "2026-03-07 01:00"),  # it began on Friday
        ("2026-03-07 01:00", None),
        ("2026-03-07 23:30", None),
        ("2026-03-06 22:59", None),
        ("2026-03-06 00:30", None),  # Thursday's, which is none of its days
    ],
)
def test_every_week_over_midnight(moment: str, until: str | None) -> None:
    window = weekly("23:00", "01:00", frozenset({4}))
    assert window.active_until(local(moment)) == (None if until is None else local(until))


def test_the_next_change_of_a_weekly_one() -> None:
    window = weekly("23:00", "01:00", frozenset({4}))
    assert window.next_change(local("2026-03-07 01:00")) == local("2026-03-13 23:00")
    assert window.next_change(local("2026-03-13 23:00")) == local("2026-03-14 01:00")
    assert not window.is_over(local("2030-01-01 00:00"))


def test_until_midnight_and_the_whole_day() -> None:
    assert weekly("22:00", "00:00").active_until(local("2026-03-01 23:59")) == local("2026-03-02 00:00")
    assert weekly("09:00", "09:00").active_until(local("2026-03-01 08:59")) == local("2026-03-01 09:00")


@pytest.mark.parametrize(
    ("start", "end", "day", "began", "ended"),
    [
        # The clocks go from 02:00 to 03:00.
        ("01:00", "04:00", "2026-03-08", "2026-03-08T06:00", "2026-03-08T08:00"),
        ("02:30", "04:00", "2026-03-08", "2026-03-08T07:00", "2026-03-08T08:00"),
        ("01:00", "02:30", "2026-03-08", "2026-03-08T06:00", "2026-03-08T07:00"),
        # The clocks go from 02:00 back to 01:00.
        ("00:30", "03:00", "2026-11-01", "2026-11-01T04:30", "2026-11-01T08:00"),
    ],
)
def test_where_the_clocks_change(start: str, end: str, day: str, began: str, ended: str) -> None:
    window = weekly(start, end, zone=NEW_YORK)
    begins, ends = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (began, ended))
    second = timedelta(seconds=1)
    assert window.active_until(begins - second) is None
    assert window.active_until(begins) == ends
    assert window.active_until(ends - second) == ends
    assert window.active_until(ends) is None


def test_hours_that_the_clocks_leave_out_do_not_take_place() -> None:
    window = weekly("02:10", "02:50", zone=NEW_YORK)
    noon = local("2026-03-07 12:00", NEW_YORK)
    moments = [noon + timedelta(minutes=minutes) for minutes in range(24 * 60)]
    assert all(window.active_until(moment) is None for moment in moments)
    assert window.next_change(noon) == local("2026-03-09 02:10", NEW_YORK)


def test_an_ended_one_is_over() -> None:
    window = Window("w", EVERYTHING, Once(local("2026-03-01 22:00"), local("2026-03-02 02:00")), id=2)
    ended = Window("w", EVERYTHING, window.times, id=2, ended_at=local("2026-03-01 22:30"))
    assert ended.active_until(local("2026-03-01 23:00")) is None
    assert ended.next_change(local("2026-03-01 21:00")) is None
    assert (window.ref, weekly("22:00", "23:00").ref) == ("#2", "w")


TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@given(
    days=st.frozensets(st.integers(0, 6), min_size=1),
    start=TIMES,
    end=TIMES,
    zone=st.sampled_from([SEOUL, NEW_YORK, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")]),
    minutes=st.integers(0, 60 * 24 * 400),
)
def test_nothing_changes_before_the_next_change(
    days: frozenset[int], start: time, end: time, zone: ZoneInfo, minutes: int
) -> None:
    window = Window("w", EVERYTHING, Weekly(days, Hours(start, end), zone))
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    change = window.next_change(now)
    assert change is not None
    assert change > now
    under_way = window.active_until(now) is not None
    assert (window.active_until(change - timedelta(seconds=1)) is not None) is under_way
