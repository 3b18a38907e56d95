"""What holds for every rotation, whatever its zone, pace, hours and days, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.oncall.coverage import gaps, hidden, lasting_gap
from bot.domain.oncall.duty import next_hand_over, on_call, shifts
from bot.domain.oncall.model import ALL_DAYS, Hours, Override, Pace, Rotation, Schedule
from bot.domain.oncall.turns import turn_at

ZONES = ("Asia/Seoul", "Europe/Berlin", "America/New_York", "America/Havana", "Australia/Lord_Howe")
CHANGES = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1), (7, 1))
]
PEOPLE = st.lists(st.sampled_from("abcd"), min_size=1, max_size=5).map(tuple)
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
MOMENTS = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-4 * 24 * 60, 4 * 24 * 60),
)
BEGINNINGS = st.integers(0, 50 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
WHOLE = st.builds(
    Rotation,
    people=PEOPLE,
    pace=st.sampled_from(Pace),
    begins=BEGINNINGS,
    at=TIMES,
    weekday=st.integers(0, 6),
    length=st.integers(1, 200).map(lambda hours: timedelta(hours=hours)),
)
PARTS = st.builds(
    Rotation,
    people=PEOPLE,
    pace=st.sampled_from(Pace),
    begins=BEGINNINGS,
    at=TIMES,
    weekday=st.integers(0, 6),
    length=st.integers(1, 200).map(lambda hours: timedelta(hours=hours)),
    hours=st.none() | st.builds(Hours, TIMES, TIMES),
    days=st.frozensets(st.sampled_from(sorted(ALL_DAYS)), min_size=1),
)
OVERRIDES = st.lists(
    st.builds(
        lambda number, start, hours: Override(number, "s", "z", start, start + timedelta(hours=hours), "by"),
        st.integers(1, 99),
        MOMENTS,
        st.integers(1, 100),
    ),
    max_size=3,
    unique_by=lambda each: each.id,
)


@st.composite
def schedules(draw: st.DrawFn, layers: st.SearchStrategy[list[Rotation]]) -> Schedule:
    return Schedule("s", ZoneInfo(draw(st.sampled_from(ZONES))), tuple(draw(layers)))


ANY = schedules(st.lists(WHOLE | PARTS, min_size=1, max_size=3))
GROUNDED = schedules(st.builds(lambda ground, rest: [ground, *rest], WHOLE, st.lists(PARTS, max_size=2)))


@given(GROUNDED, OVERRIDES, MOMENTS)
def test_there_is_always_exactly_one_person_where_a_rotation_has_no_hours(
    schedule: Schedule, overrides: list[Override], moment: datetime
) -> None:
    person, number = on_call(schedule, overrides, moment)
    assert person is not None
    assert (person == "z") == (number is not None)


@given(ANY, OVERRIDES, MOMENTS, st.integers(1, 12 * 24))
@settings(deadline=None)
def test_shifts_tile_the_interval_and_each_is_of_whoever_is_on_call(
    schedule: Schedule, overrides: list[Override], since: datetime, hours: int
) -> None:
    until = since + timedelta(hours=hours)
    found = shifts(schedule, overrides, since, until)
    assert (found[0].start, found[-1].end) == (since, until)
    assert all(shift.start < shift.end for shift in found)
    for one, following in pairwise(found):
        assert one.end == following.start
        assert (one.person, one.override) != (following.person, following.override)
    for shift in found:
        steps = max(1, int((shift.end - shift.start) / timedelta(minutes=90)))
        for step in range(steps + 1):
            moment = min(shift.start + step * timedelta(minutes=90), shift.end - timedelta(seconds=1))
            assert on_call(schedule, overrides, moment) == (shift.person, shift.override)


@given(ANY, OVERRIDES, MOMENTS)
@settings(deadline=None)
def test_the_next_hand_over_is_the_first_shift_of_another_person(
    schedule: Schedule, overrides: list[Override], since: datetime
) -> None:
    until = since + timedelta(days=10)
    found = shifts(schedule, overrides, since, until)
    others = [shift for shift in found if shift.person != found[0].person]
    assert next_hand_over(schedule, overrides, since, until) == (others[0] if others else None)


@given(schedules(st.lists(WHOLE, min_size=1, max_size=1)), MOMENTS)
def test_a_turn_begins_where_the_one_before_it_ends_and_goes_to_the_next_person(
    schedule: Schedule, moment: datetime
) -> None:
    (rotation,) = schedule.rotations
    order = [rotation.begins]
    people: list[str] = []
    while len(people) < 12:
        turn = turn_at(rotation, schedule.zone, order[-1])
        assert turn is not None
        assert turn[1].start == order[-1]
        people.append(turn[0])
        order.append(turn[1].end)
    assert people == [rotation.people[number % len(rotation.people)] for number in range(12)]


@given(schedules(st.lists(WHOLE, min_size=1, max_size=1)), st.integers(1, 200))
def test_calendar_turns_end_at_the_same_local_time_unless_the_clock_leaves_it_out(
    schedule: Schedule, days: int
) -> None:
    (rotation,) = schedule.rotations
    turn = turn_at(rotation, schedule.zone, rotation.begins + timedelta(days=days))
    assert turn is not None
    end = turn[1].end.astimezone(schedule.zone)
    if rotation.pace is Pace.HOURS:
        assert (turn[1].end - rotation.begins) % rotation.length == timedelta(0)
        return
    before = (turn[1].end - timedelta(seconds=1)).astimezone(schedule.zone)
    left_out = before.utcoffset() != end.utcoffset() and before.time() < rotation.at < end.time()
    assert end.time() == rotation.at or left_out
    assert rotation.pace is Pace.DAILY or end.weekday() == rotation.weekday


@given(ANY)
@settings(deadline=None)
def test_a_schedule_without_a_lasting_gap_has_none_in_any_week_of_the_year(schedule: Schedule) -> None:
    since = max(rotation.begins for rotation in schedule.rotations)
    if lasting_gap(schedule) is None:
        assert gaps(schedule, (), since, since + timedelta(days=300)) == ()


@given(ANY)
@settings(deadline=None)
def test_a_hidden_rotation_never_has_anybody_on_call(schedule: Schedule) -> None:
    for number in hidden(schedule):
        rest = tuple(each for at, each in enumerate(schedule.rotations) if at != number)
        without = Schedule("s", schedule.zone, rest)
        since = schedule.rotations[number].begins
        until = since + timedelta(days=90)
        assert shifts(schedule, (), since, until) == shifts(without, (), since, until)
