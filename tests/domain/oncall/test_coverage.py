"""Gaps and overlaps of whole schedules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.oncall.coverage import gaps, hidden, lasting_gap, lasting_overlap
from bot.domain.oncall.model import Pace, Rotation, Span
from tests.domain.oncall.making import BERLIN, at, override, rotation, schedule


def part(hours: str | None, days: str = "", start: str = "2026-01-05") -> Rotation:
    return rotation("x", pace=Pace.DAILY, hours=hours, days=days, start=start, at="00:00")


WORKDAYS = "mon tue wed thu fri"


@pytest.mark.parametrize(
    ("rotations", "first"),
    [
        pytest.param([rotation("a")], None, id="round the clock"),
        pytest.param([part("09:00-18:00"), part("18:00-09:00")], None, id="day and night meet"),
        pytest.param(
            [part("09:00-18:00"), part("18:00-08:00")],
            ("2026-01-05 08:00", "2026-01-05 09:00"),
            id="an hour in the morning",
        ),
        pytest.param([part(None, WORKDAYS), part(None, "sat sun")], None, id="week and weekend meet"),
        pytest.param(
            [part(None, WORKDAYS), part(None, "sun")],
            ("2026-01-10 00:00", "2026-01-11 00:00"),
            id="saturdays",
        ),
        pytest.param([rotation("a"), part("09:00-18:00")], None, id="ground beneath"),
        pytest.param(
            [part("09:00-18:00", start="2026-01-05"), rotation("a", start="2026-02-02")],
            None,
            id="nothing is missing once all have begun",
        ),
    ],
)
def test_gaps(rotations: list[Rotation], first: tuple[str, str] | None) -> None:
    found = lasting_gap(schedule(*rotations))
    assert found == (None if first is None else Span(at(first[0]), at(first[1])))


def test_a_gap_can_be_filled_by_an_override() -> None:
    office = schedule(part("09:00-18:00"))
    since, until = at("2026-01-05 09:00"), at("2026-01-06 09:00")
    assert gaps(office, (), since, until) == (Span(at("2026-01-05 18:00"), until),)
    stand_in = override("z", "2026-01-05 18:00", "2026-01-06 07:00")
    assert gaps(office, [stand_in], since, until) == (Span(at("2026-01-06 07:00"), until),)


def test_an_hour_that_the_clocks_leave_out_is_no_gap() -> None:
    begin = at("2026-03-27 00:00", BERLIN)
    parts = [
        rotation("a", pace=Pace.DAILY, hours=hours, zone=BERLIN, start="2026-03-27", at="00:00")
        for hours in ("00:00-02:00", "02:00-02:30", "02:30-03:00", "03:00-00:00")
    ]
    assert gaps(schedule(*parts, zone=BERLIN), (), begin, begin + timedelta(days=10)) == ()


@pytest.mark.parametrize(
    ("rotations", "first"),
    [
        pytest.param([rotation("a"), part("09:00-18:00")], None, id="the ground is meant to be lain upon"),
        pytest.param([part("09:00-18:00"), part("18:00-09:00")], None, id="they meet"),
        pytest.param(
            [part("09:00-18:00"), part("17:00-09:00")], ("2026-01-05 17:00", "2026-01-05 18:00"), id="an hour"
        ),
        pytest.param(
            [part(None, WORKDAYS), part("09:00-12:00", "fri sat")],
            ("2026-01-09 09:00", "2026-01-09 12:00"),
            id="days",
        ),
        pytest.param(
            [part("09:00-18:00"), part("08:00-20:00", start="2026-03-02")], None, id="replaced from a day on"
        ),
    ],
)
def test_overlaps(rotations: list[Rotation], first: tuple[str, str] | None) -> None:
    found = lasting_overlap(schedule(*rotations))
    assert (None if found is None else found.span) == (
        None if first is None else Span(at(first[0]), at(first[1]))
    )


@pytest.mark.parametrize(
    ("rotations", "expected"),
    [
        pytest.param([rotation("a"), rotation("b")], (0,), id="covered from the first day"),
        pytest.param([rotation("a"), rotation("b", start="2026-05-04")], (), id="replaced later"),
        pytest.param([rotation("a", start="2026-05-04"), rotation("b")], (0,), id="never had a chance"),
        pytest.param([part("10:00-11:00"), part("09:00-18:00")], (0,), id="its hours are another's"),
        pytest.param(
            [rotation("a"), part("09:00-18:00"), part("18:00-09:00", start="2026-01-04")], (0,), id="by two"
        ),
        pytest.param([rotation("a"), part("09:00-18:00")], (), id="in part"),
        pytest.param([rotation("a")], (), id="alone"),
    ],
)
def test_hidden_rotations(rotations: list[Rotation], expected: tuple[int, ...]) -> None:
    assert hidden(schedule(*rotations)) == expected
