"""Freezes: hours, weekdays and holidays in local time, where the clocks change too; what they are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.maintenance import Once, Weekly
from bot.domain.oncall.localtime import local_day
from bot.domain.oncall.model import ALL_DAYS, Hours
from bot.domain.operations.freeze import Freeze, Holidays, frozen_by, next_freeze
from tests.factories import T0

SEOUL, BERLIN, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
CAIRO = ZoneInfo("Africa/Cairo")
"""Its clocks go forward at midnight: a day there begins at one."""
FRIDAY = frozenset({4})


def local(text: str, zone: ZoneInfo = SEOUL, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def weekly(hours: str, days: frozenset[int] = ALL_DAYS, zone: ZoneInfo = SEOUL) -> Freeze:
    return Freeze("quiet", Weekly(days, Hours(*map(time.fromisoformat, hours.split("-"))), zone))


def holidays(*days: str, zone: ZoneInfo = SEOUL) -> Freeze:
    return Freeze("away", Holidays(frozenset(map(date.fromisoformat, days)), zone))


@pytest.mark.parametrize(
    ("freeze", "moment", "until"),
    [
        # Nights of working days; a Friday's goes on into Saturday.
        (weekly("18:00-09:00", FRIDAY), "2026-03-06 17:59:59", None),
        (weekly("18:00-09:00", FRIDAY), "2026-03-06 18:00", "2026-03-07 09:00"),
        (weekly("18:00-09:00", FRIDAY), "2026-03-07 08:59:59", "2026-03-07 09:00"),
        (weekly("18:00-09:00", FRIDAY), "2026-03-07 09:00", None),
        (weekly("18:00-09:00", FRIDAY), "2026-03-07 18:00", None),
        # A single holiday, midnight to midnight.
        (holidays("2026-03-01"), "2026-02-28 23:59:59", None),
        (holidays("2026-03-01"), "2026-03-01 00:00", "2026-03-02 00:00"),
        (holidays("2026-03-01"), "2026-03-01 23:59:59", "2026-03-02 00:00"),
        (holidays("2026-03-01"), "2026-03-02 00:00", None),
        # In a row they are one, over the end of a year too; a gap ends it.
        (holidays("2026-12-31", "2027-01-01", "2027-01-03"), "2026-12-31 12:00", "2027-01-02 00:00"),
        (holidays("2026-12-31", "2027-01-01", "2027-01-03"), "2027-01-02 12:00", None),
        (holidays("2028-02-28", "2028-02-29", "2028-03-01"), "2028-02-28 01:00", "2028-03-02 00:00"),
    ],
)
def test_when_it_holds_and_until_when(freeze: Freeze, moment: str, until: str | None) -> None:
    assert freeze.active_until(local(moment)) == (None if until is None else local(until))


@pytest.mark.parametrize(
    ("freeze", "moment", "until"),
    [
        # 29 March 2026: two o'clock is three. The night is an hour shorter.
        (weekly("22:00-06:00", zone=BERLIN), "2026-03-28 22:00", "2026-03-29 06:00"),
        # Hours that begin in the hour that is left out begin when it is over.
        (weekly("02:30-04:00", zone=BERLIN), "2026-03-29 01:59", None),
        (weekly("02:30-04:00", zone=BERLIN), "2026-03-29 03:00", "2026-03-29 04:00"),
        # Hours that are left out altogether do not take place.
        (weekly("02:00-03:00", zone=BERLIN), "2026-03-29 03:00", None),
        # 25 October 2026: three o'clock is two. What begins or ends in that hour does it the first time.
        (weekly("02:30-04:00", zone=BERLIN), "2026-10-25 02:30", "2026-10-25 04:00"),
        (weekly("02:30-04:00", zone=BERLIN), "2026-10-25 02:10 again", "2026-10-25 04:00"),
        (weekly("01:00-02:30", zone=BERLIN), "2026-10-25 02:10 again", None),
        # Holidays of 23 and of 25 hours.
        (holidays("2026-03-29", zone=BERLIN), "2026-03-29 00:00", "2026-03-30 00:00"),
        (holidays("2026-10-25", zone=BERLIN), "2026-10-25 23:59", "2026-10-26 00:00"),
    ],
)
def test_where_the_clocks_change(freeze: Freeze, moment: str, until: str | None) -> None:
    now = local(moment.removesuffix(" again"), BERLIN, fold=int(moment.endswith("again")))
    assert freeze.active_until(now) == (None if until is None else local(until, BERLIN))


def test_a_day_that_begins_at_one_ends_the_holiday_before_it_there() -> None:
    before, after = holidays("2026-04-23", zone=CAIRO), holidays("2026-04-24", zone=CAIRO)
    begins = local("2026-04-24 01:00", CAIRO)
    assert before.active_until(begins - timedelta(seconds=1)) == begins
    assert before.active_until(begins) is None
    assert after.active_until(begins - timedelta(seconds=1)) is None
    assert after.active_until(begins) == local("2026-04-25 00:00", CAIRO)


def test_a_holiday_is_one_of_its_own_zone() -> None:
    new_year = holidays("2027-01-01", zone=NEW_YORK)
    assert new_year.active_until(local("2027-01-01 12:00")) is None
    assert new_year.active_until(local("2027-01-02 12:00")) == local("2027-01-02 00:00", NEW_YORK)


@given(
    st.sets(st.dates(date(2026, 3, 20), date(2026, 4, 20)), max_size=12),
    st.sampled_from([SEOUL, BERLIN, NEW_YORK, CAIRO]),
    st.integers(0, 40 * 24 * 60),
)
def test_a_row_of_holidays_ends_on_the_first_day_that_is_none(
    days: set[date], zone: ZoneInfo, minutes: int
) -> None:
    now = datetime(2026, 3, 15, tzinfo=UTC) + timedelta(minutes=minutes)
    freeze = Freeze("away", Holidays(frozenset(days), zone))
    until = freeze.active_until(now)
    if local_day(now, zone) not in days:
        assert until is None
        return
    assert until is not None
    assert freeze.active_until(until - timedelta(seconds=1)) == until
    assert freeze.active_until(until) is None
    assert not freeze.is_over(now)


@pytest.mark.parametrize(
    ("operations", "subject", "asked", "concerned"),
    [
        (set(), "*", ("cleanup", "host:web-1"), True),
        ({"deploy"}, "*", ("cleanup", "host:web-1"), False),
        ({"deploy", "cleanup"}, "*", ("cleanup", "host:web-1"), True),
        (set(), "production*", ("deploy", "production-eu"), True),
        (set(), "production*", ("deploy", "staging"), False),
        (set(), "production", ("deploy", "production-eu"), False),
        (set(), "host:web-?", ("cleanup", "host:web-1"), True),
        (set(), "Production", ("deploy", "production"), False),
        (set(), "*", ("deploy", ""), True),
        (set(), "*", ("backup", "backup"), False),
        (set(), "*", ("cleanup_undo", "host:web-1"), False),
        ({"backup"}, "*", ("backup", "backup"), True),
    ],
)
def test_what_it_is_about(
    operations: set[str], subject: str, asked: tuple[str, str], concerned: bool
) -> None:
    freeze = Freeze("f", Once(T0, T0 + timedelta(hours=1)), frozenset(operations), subject)
    assert freeze.concerns(*asked) is concerned
    assert (frozen_by([freeze], *asked, T0) is not None) is concerned


def test_of_several_the_one_that_ends_last_is_named() -> None:
    short = Freeze("a", Once(T0, T0 + timedelta(hours=1)))
    long = Freeze("b", Once(T0, T0 + timedelta(hours=3)))
    other = Freeze("c", Once(T0, T0 + timedelta(hours=9)), frozenset({"deploy"}))
    assert frozen_by([short, long, other], "cleanup", "x", T0) == (long, T0 + timedelta(hours=3))
    assert frozen_by([], "cleanup", "x", T0) is None


def test_one_that_somebody_ended_holds_no_more() -> None:
    freeze = replace(Freeze("a", Once(T0, T0 + timedelta(hours=1))), ended_at=T0)
    assert freeze.active_until(T0) is None
    assert freeze.is_over(T0)


TODAY = local_day(T0, SEOUL)


@pytest.mark.parametrize(
    ("freeze", "over"),
    [
        (Freeze("a", Once(T0, T0 + timedelta(hours=1))), [False, True]),
        (Freeze("a", Once(T0 + timedelta(days=1), T0 + timedelta(days=2))), [False, False]),
        (weekly("18:00-09:00"), [False, False]),
        (Freeze("a", Holidays(frozenset({TODAY}), SEOUL)), [False, False]),
        (Freeze("a", Holidays(frozenset({TODAY - timedelta(days=1)}), SEOUL)), [True, True]),
        (Freeze("a", Holidays(frozenset(), SEOUL)), [True, True]),
    ],
)
def test_whether_it_will_ever_hold_again(freeze: Freeze, over: list[bool]) -> None:
    assert [freeze.is_over(T0 + timedelta(hours=hours)) for hours in (0, 1)] == over


def test_what_names_it() -> None:
    assert replace(weekly("18:00-09:00"), id=7).ref == "#7"
    assert weekly("18:00-09:00").ref == "quiet"


@pytest.mark.parametrize(
    ("freeze", "begins"),
    [
        (weekly("18:00-09:00", frozenset({0})), "2026-03-02T18:00"),
        (weekly("18:00-09:00", FRIDAY), None),
        (holidays("2026-03-03"), "2026-03-03T00:00"),
        (holidays("2026-03-02"), None),  # it is one already
        (Freeze("a", Once(local("2026-03-02T20:00"), local("2026-03-02T21:00"))), "2026-03-02T20:00"),
        (Freeze("a", Once(local("2026-03-02T10:00"), local("2026-03-02T21:00"))), None),
        (Freeze("a", Once(local("2026-03-03T12:01"), local("2026-03-04T12:00"))), None),
        (replace(weekly("18:00-09:00"), ended_at=T0), None),
        (replace(weekly("18:00-09:00"), subject="staging"), None),
    ],
)
def test_which_begins_next(freeze: Freeze, begins: str | None) -> None:
    noon = local("2026-03-02T12:00")  # a Monday
    found = next_freeze([freeze], "deploy", "production", noon, noon + timedelta(days=1))
    assert found == (None if begins is None else (freeze, local(begins)))


def test_of_several_the_one_that_begins_first() -> None:
    noon = local("2026-03-02T12:00")
    freezes = [weekly("20:00-21:00"), weekly("18:00-19:00"), holidays("2026-03-03")]
    found = next_freeze(freezes, "deploy", "production", noon, noon + timedelta(days=1))
    assert found == (freezes[1], local("2026-03-02T18:00"))
