"""A chart as figures: scales, gaps, bounds and labels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from messages.chart_facts import ChartFacts
from messages.chart_frame import frame_of
from messages.chart_scales import spread, time_ticks, value_range, value_ticks

START = datetime(2025, 11, 29, tzinfo=UTC)


def after(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat()


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([35, 70, 85], "%", (0, 100)),
        ([0, 0], "%", (0, 1)),
        ([0, 0.05, 1.0], "%", (0, 1.1)),
        ([99.4, 99.9, 100], "%", (99.25, 100)),
        ([300, 300], "", (0, 330)),
        ([300, 303], "", (299.25, 303.75)),
        ([0, 1500], "/s", (0, 1650)),
        ([-10, 10], "", (-12, 12)),
    ],
)
def test_zero_and_a_hundred_percent_are_on_the_scale_where_that_leaves_something_to_see(
    values: list[float], unit: str, expected: tuple[float, float]
) -> None:
    assert value_range(values, unit) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high", "unit", "expected"),
    [
        (0, 100, "%", (0, 25, 50, 75, 100)),
        (99.25, 100, "%", (99.4, 99.6, 99.8, 100)),
        (0, 1.1, "%", (0, 0.5, 1.0)),
        (0, 220 * 1024**2, "B/s", tuple(100 * 1024**2 * step for step in range(3))),
        (0, 4 * 1024**3, "B", tuple(1024**3 * step for step in range(5))),
        (0, 200, "s", (0, 60, 120, 180)),
        (0, 660, "ms", (0, 200, 400, 600)),
        (0, 66_000, "ms", (0, 30_000, 60_000)),
    ],
)
def test_values_are_written_at_round_places(
    low: float, high: float, unit: str, expected: tuple[float, ...]
) -> None:
    assert value_ticks(low, high, unit) == pytest.approx(expected)


def test_reachable_is_yes_or_no() -> None:
    assert value_ticks(0, 1.1, "", "reachable") == (0, 1)


@pytest.mark.parametrize(
    ("hours", "zone", "expected"),
    [
        (3, "Asia/Seoul", ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30", "12:00"]),
        (24, "Asia/Seoul", ["12:00", "18:00", "11-30", "06:00"]),
        (3, "Asia/Kathmandu", ["06:00", "06:30", "07:00", "07:30", "08:00", "08:30"]),
        (168, "UTC", ["11-29", "11-30", "12-01", "12-02", "12-03", "12-04", "12-05", "12-06"]),
    ],
)
def test_times_are_local_and_round(hours: float, zone: str, expected: list[str]) -> None:
    begin = START.timestamp()
    labels = [label for _, label in time_ticks(begin, begin + hours * 3600, ZoneInfo(zone))]
    assert labels == expected or labels == expected[:: 2 if len(expected) > 7 else 1]


def test_labels_keep_clear_of_each_other_and_of_the_edges() -> None:
    wanted = [100.0, 99.0, 5.0, 101.0, 400.0]
    centres = spread(wanted, [30.0] * 5, 0, 300)
    inside = sorted(centres)
    assert all(later - earlier >= 30 for earlier, later in pairwise(inside))
    assert inside[0] >= 15
    assert inside[-1] <= 285
    assert sorted(range(5), key=centres.__getitem__) == sorted(range(5), key=wanted.__getitem__)
    assert spread([50.0, 200.0], [30.0, 30.0], 0, 300) == [50.0, 200.0]


def facts(points: list[tuple[float, float | None]], **more: object) -> ChartFacts:
    series = tuple((after(minute), value) for minute, value in points)
    return ChartFacts("t", "cpu_usage", "%", series, **more)  # type: ignore[arg-type]  # fields of ChartFacts


@pytest.mark.parametrize(
    ("points", "lines", "gaps"),
    [
        ([(0, 1), (1, 2), (2, None), (3, 3)], [2, 1], [(1, 3)]),
        ([(0, 1), (1, 2), (2, 2), (9, 3), (10, 3)], [3, 2], [(2, 9)]),
        ([(0, 1), (1, 2), (3, 2)], [3], []),
        ([(0, None), (1, 2), (2, 2)], [2], [(0, 1)]),
        ([(0, 1), (1, None), (2, None)], [1], [(0, 2)]),
        ([(0, float("nan")), (1, 2)], [1], [(0, 1)]),
        ([(5, 0.0)], [1], []),
    ],
)
def test_a_check_without_a_value_or_a_long_silence_parts_the_line(
    points: list[tuple[float, float | None]], lines: list[int], gaps: list[tuple[float, float]]
) -> None:
    frame = frame_of(facts(points))
    assert frame is not None
    assert [len(line) for line in frame.lines] == lines
    begin = START.timestamp()
    assert [((start - begin) / 60, (end - begin) / 60) for start, end in frame.gaps] == gaps


def test_a_bound_far_beyond_everything_is_left_out_but_never_the_first() -> None:
    bounds = (("warning", 10.0), ("critical", 29.0), ("emergency", 1000.0))
    frame = frame_of(facts([(0, 1.0), (1, 5.0)], bounds=bounds))
    assert frame is not None
    assert frame.bounds == bounds[:2]
    assert frame.high == pytest.approx(31.9)


def test_a_forecast_far_ahead_leaves_the_past_its_room() -> None:
    points = [(float(minute), 70 + minute / 10) for minute in range(61)]
    frame = frame_of(facts(list(points), forecast=((after(60 + 600), 136.0),)))
    assert frame is not None
    assert frame.end - frame.start == pytest.approx(3600 / 0.6)
    at, value = frame.forecast[-1]
    assert at == frame.end
    assert value == pytest.approx(80.0)


def test_a_forecast_behind_the_last_value_is_none() -> None:
    frame = frame_of(facts([(0, 1.0), (20, 2.0)], forecast=((after(10), 5.0),)))
    assert frame is not None
    assert frame.forecast == ()


def test_marks_before_all_readings_are_left_out() -> None:
    frame = frame_of(facts([(0, 1.0), (60, 2.0)], fired_at=after(-60), resolved_at=after(70)))
    assert frame is not None
    assert frame.fired is None
    assert frame.resolved == frame.end
