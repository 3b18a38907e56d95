"""Who is on call: turns, restrictions, layers, overrides, and what the clocks do to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.oncall.duty import next_hand_over, on_call, shifts
from bot.domain.oncall.model import Pace, Shift
from tests.domain.oncall.making import BERLIN, NEW_YORK, SEOUL, at, override, rotation, schedule

WEEKLY = schedule(rotation("a", "b", "c"))


@pytest.mark.parametrize(
    ("local", "person"),
    [
        ("2026-01-05 08:59:59", None),
        ("2026-01-05 09:00", "a"),
        ("2026-01-12 08:59:59", "a"),
        ("2026-01-12 09:00", "b"),
        ("2026-01-19 09:00", "c"),
        ("2026-01-26 09:00", "a"),
    ],
)
def test_a_weekly_rotation_hands_over_on_its_day_at_its_time(local: str, person: str | None) -> None:
    assert on_call(WEEKLY, (), at(local)) == (person, None)


def test_a_weekly_rotation_that_starts_in_mid_week_has_a_short_first_turn() -> None:
    started = schedule(rotation("a", "b", start="2026-01-07", on="fri"))
    found = shifts(started, (), at("2026-01-07 09:00"), at("2026-01-20 00:00"))
    assert [(shift.person, shift.start) for shift in found] == [
        ("a", at("2026-01-07 09:00")),
        ("b", at("2026-01-09 09:00")),
        ("a", at("2026-01-16 09:00")),
    ]


@pytest.mark.parametrize(
    ("zone", "first", "lengths"),
    [
        (SEOUL, "2026-03-27", [24, 24, 24, 24]),
        (BERLIN, "2026-03-27", [24, 23, 24, 24]),
        (BERLIN, "2026-10-23", [24, 25, 24, 24]),
        (NEW_YORK, "2026-03-06", [24, 23, 24, 24]),
        (NEW_YORK, "2026-10-30", [24, 25, 24, 24]),
    ],
)
def test_a_daily_hand_over_at_nine_stays_at_nine_when_the_clocks_change(
    zone: ZoneInfo, first: str, lengths: list[int]
) -> None:
    daily = schedule(rotation("a", "b", pace=Pace.DAILY, start=first, zone=zone), zone=zone)
    begin = at(f"{first} 09:00", zone)
    found = shifts(daily, (), begin, begin + timedelta(days=5))[:4]
    assert [shift.start.astimezone(zone).strftime("%H:%M") for shift in found] == ["09:00"] * 4
    assert [(shift.end - shift.start) / timedelta(hours=1) for shift in found] == lengths
    assert [shift.person for shift in found] == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    ("day", "length", "shown"),
    [("2026-03-29", 6, "13:00"), ("2026-10-25", 6, "11:00"), ("2026-06-01", 6, "12:00")],
)
def test_turns_of_hours_follow_the_time_that_passes(day: str, length: int, shown: str) -> None:
    made = rotation("a", "b", pace=Pace.HOURS, start="2026-06-01", at="02:00", zone=BERLIN)
    begins = at(f"{day} 00:00", BERLIN)
    hours = schedule(replace(made, begins=begins, length=timedelta(hours=length)), zone=BERLIN)
    found = shifts(hours, (), begins, begins + timedelta(days=2))
    assert {shift.end - shift.start for shift in found} == {timedelta(hours=length)}
    assert found[2].start.astimezone(BERLIN).strftime("%H:%M") == shown


def test_a_hand_over_at_a_time_that_is_left_out_happens_at_the_jump() -> None:
    daily = schedule(
        rotation("a", "b", pace=Pace.DAILY, start="2026-03-27", at="02:30", zone=BERLIN), zone=BERLIN
    )
    found = shifts(daily, (), at("2026-03-28 12:00", BERLIN), at("2026-03-30 12:00", BERLIN))
    assert [shift.start.astimezone(BERLIN).strftime("%d %H:%M") for shift in found[1:]] == [
        "29 03:00",
        "30 02:30",
    ]


def test_a_hand_over_at_a_time_that_comes_twice_happens_once_at_the_first() -> None:
    daily = schedule(
        rotation("a", "b", pace=Pace.DAILY, start="2026-10-24", at="02:30", zone=BERLIN), zone=BERLIN
    )
    assert on_call(daily, (), at("2026-10-25 02:29", BERLIN))[0] == "a"
    assert on_call(daily, (), at("2026-10-25 02:30", BERLIN))[0] == "b"
    assert on_call(daily, (), at("2026-10-25 02:10+", BERLIN))[0] == "b"
    assert on_call(daily, (), at("2026-10-25 02:40+", BERLIN))[0] == "b"


NIGHTS = rotation("n", pace=Pace.DAILY, at="18:00", hours="18:00-09:00", days="mon tue wed thu fri")
LAYERED = schedule(rotation("a", "b"), NIGHTS)


@pytest.mark.parametrize(
    ("local", "person"),
    [
        ("2026-01-05 17:59", "a"),
        ("2026-01-05 18:00", "n"),
        ("2026-01-06 08:59", "n"),
        ("2026-01-06 09:00", "a"),
        ("2026-01-09 23:00", "n"),
        pytest.param("2026-01-10 08:59", "n", id="friday's night ends on saturday"),
        pytest.param("2026-01-10 18:00", "a", id="saturday has no night of its own"),
        pytest.param("2026-01-12 03:00", "a", id="nor has sunday"),
        ("2026-01-12 18:00", "n"),
    ],
)
def test_a_later_rotation_counts_within_its_hours_and_days(local: str, person: str) -> None:
    assert on_call(LAYERED, (), at(local))[0] == person


def test_days_without_hours_are_whole_local_days() -> None:
    weekend = schedule(rotation("w", days="sat sun"))
    found = shifts(weekend, (), at("2026-01-05 09:00"), at("2026-01-14 00:00"))
    assert [(shift.person, shift.start, shift.end) for shift in found] == [
        (None, at("2026-01-05 09:00"), at("2026-01-10 00:00")),
        ("w", at("2026-01-10 00:00"), at("2026-01-12 00:00")),
        (None, at("2026-01-12 00:00"), at("2026-01-14 00:00")),
    ]


def test_turns_go_on_beneath_hours_and_days() -> None:
    offices = schedule(rotation("a", "b", pace=Pace.DAILY, hours="09:00-18:00", days="mon wed fri"))
    wednesdays = [on_call(offices, (), at(f"2026-01-{day:02} 12:00"))[0] for day in (5, 7, 9, 12, 14)]
    assert wednesdays == ["a", "a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("overrides", "local", "expected"),
    [
        ([("z", "2026-01-06 10:00", "2026-01-06 12:00")], "2026-01-06 10:00", ("z", 1)),
        ([("z", "2026-01-06 10:00", "2026-01-06 12:00")], "2026-01-06 12:00", ("a", None)),
        ([("z", "2026-01-06 17:00", "2026-01-06 20:00")], "2026-01-06 19:00", ("z", 1)),
        (
            [("z", "2026-01-06 10:00", "2026-01-06 14:00"), ("y", "2026-01-06 11:00", "2026-01-06 12:00")],
            "2026-01-06 11:30",
            ("y", 2),
        ),
        (
            [("z", "2026-01-06 10:00", "2026-01-06 14:00"), ("y", "2026-01-06 11:00", "2026-01-06 12:00")],
            "2026-01-06 12:30",
            ("z", 1),
        ),
        ([("z", "2025-12-31 10:00", "2026-01-05 08:00")], "2026-01-01 00:00", ("z", 1)),
    ],
)
def test_an_override_counts_before_every_rotation_and_the_newer_one_before_the_older(
    overrides: list[tuple[str, str, str]], local: str, expected: tuple[str, int | None]
) -> None:
    made = [override(*each, number) for number, each in enumerate(overrides, 1)]
    assert on_call(LAYERED, made, at(local)) == expected


def test_overrides_of_another_schedule_do_not_count() -> None:
    other = replace(override("z", "2026-01-06 10:00", "2026-01-06 12:00"), schedule="secondary")
    assert on_call(LAYERED, [other], at("2026-01-06 11:00"))[0] == "a"
    assert len(shifts(LAYERED, [other], at("2026-01-06 10:00"), at("2026-01-06 12:00"))) == 1


def test_shifts_show_an_override_between_the_two_parts_of_the_shift_it_interrupts() -> None:
    made = override("z", "2026-01-06 10:00", "2026-01-06 12:00", 7)
    assert shifts(WEEKLY, [made], at("2026-01-06 09:00"), at("2026-01-06 18:00")) == (
        Shift("a", at("2026-01-06 09:00"), at("2026-01-06 10:00")),
        Shift("z", at("2026-01-06 10:00"), at("2026-01-06 12:00"), 7),
        Shift("a", at("2026-01-06 12:00"), at("2026-01-06 18:00")),
    )


def test_the_next_hand_over_is_to_another_person() -> None:
    now, until = at("2026-01-06 12:00"), at("2026-03-01 00:00")

    def following(*overrides: tuple[str, str, str]) -> tuple[str | None, datetime] | None:
        made = [override(*each, number) for number, each in enumerate(overrides, 1)]
        found = next_hand_over(WEEKLY, made, now, until)
        return None if found is None else (found.person, found.start)

    assert following() == ("b", at("2026-01-12 09:00"))
    assert following(("z", "2026-01-07 09:00", "2026-01-07 10:00")) == ("z", at("2026-01-07 09:00"))
    assert following(("a", "2026-01-12 08:00", "2026-01-13 09:00")) == ("b", at("2026-01-13 09:00"))


def test_somebody_alone_never_hands_over() -> None:
    alone = schedule(rotation("a"))
    assert next_hand_over(alone, (), at("2026-01-06 12:00"), at("2027-01-06 12:00")) is None
    assert len(shifts(alone, (), at("2026-01-06 12:00"), at("2027-01-06 12:00"))) == 1
