"""Local times that do not exist or exist twice, and that their order is never another one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.oncall.localtime import local_day, moment_of

ZONES = (
    "Asia/Seoul",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kathmandu",
    "Pacific/Apia",
)


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        pytest.param("Asia/Seoul", "2026-03-29 09:00", "2026-03-29 00:00", id="no changes in Seoul"),
        pytest.param("Europe/Berlin", "2026-03-28 09:00", "2026-03-28 08:00", id="winter"),
        pytest.param("Europe/Berlin", "2026-03-29 09:00", "2026-03-29 07:00", id="summer"),
        pytest.param("Europe/Berlin", "2026-03-29 02:00", "2026-03-29 01:00", id="the jump itself"),
        pytest.param("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:00", id="left out: the jump"),
        pytest.param("Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00", id="first after the jump"),
        pytest.param("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30", id="twice: the first"),
        pytest.param("Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00", id="behind the second"),
        pytest.param("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00", id="left out in New York"),
        pytest.param("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30", id="twice in New York"),
        pytest.param("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30", id="half an hour"),
        pytest.param("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00", id="a day that was left out"),
        pytest.param("America/Havana", "2026-03-08 00:00", "2026-03-08 05:00", id="no midnight"),
    ],
)
def test_each_local_time_has_its_moment(zone: str, local: str, utc: str) -> None:
    wanted = datetime.fromisoformat(local)
    moment = moment_of(wanted.date(), wanted.time(), ZoneInfo(zone))
    assert moment == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert moment.utcoffset() == timedelta(0)


CHANGES = ((3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1))
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
LOCALS = st.builds(datetime.combine, st.dates(date(2011, 1, 1), date(2037, 12, 31)), TIMES)
NEAR_CHANGES = st.builds(
    lambda day, minute: datetime.combine(day, time(0)) + timedelta(minutes=minute),
    st.sampled_from(
        [date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 4), date(2026, 10, 25), date(2026, 11, 1)]
    ),
    st.integers(0, 5 * 60),
)


@given(st.sampled_from(ZONES).map(ZoneInfo), st.lists(LOCALS | NEAR_CHANGES, min_size=2, max_size=6))
def test_moments_come_in_the_order_of_their_local_times(zone: ZoneInfo, locals_: list[datetime]) -> None:
    moments = [moment_of(local.date(), local.time(), zone) for local in sorted(locals_)]
    assert moments == sorted(moments)


@given(st.sampled_from(ZONES).map(ZoneInfo), LOCALS | NEAR_CHANGES)
def test_a_moment_shows_the_local_time_that_was_meant_or_the_first_after_a_jump(
    zone: ZoneInfo, local: datetime
) -> None:
    moment = moment_of(local.date(), local.time(), zone)
    shown = moment.astimezone(zone).replace(tzinfo=None)
    before = (moment - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert shown == local or before < local < shown
    assert local_day(moment, zone) == shown.date()
