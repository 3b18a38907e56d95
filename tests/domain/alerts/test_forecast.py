"""Context and forecast: when a value will reach a worse band (alerts.md)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts.forecast import HORIZON, Forecast, forecasts
from bot.domain.alerts.trend import MOST_POINTS, since_last_drop, thinned
from bot.domain.band_notation import parse_bands
from bot.domain.levels import Level
from probes.base import Unit
from tests.factories import FIVE, T0, UPTIME

DISK = parse_bands({"target": "< 85%", "warning": "85-95%", "critical": "> 95%"}, Unit.PERCENT)
Series = list[tuple[datetime, float]]


def series(values: Iterable[float], spacing: float = 30.0) -> Series:
    return [(T0 + timedelta(seconds=spacing * index), value) for index, value in enumerate(values)]


def ahead(readings: Series, beyond: Level | None = None) -> tuple[Forecast, ...]:
    return forecasts(readings, DISK, readings[-1][0], beyond)


def dice(seed: int) -> Random:
    """Always the same chances for a seed."""
    return Random(seed)  # noqa: S311 - figures, no secret


def spiky(random: Random, noise: float = 0.5) -> float:
    """Noise, and in every tenth reading a spike."""
    return random.gauss(0, noise) + (random.uniform(10, 40) if random.random() < 0.1 else 0.0)


def least_squares_wait(readings: Series, bound: float) -> float:
    """Seconds from the last reading until the ordinary line reaches the bound."""
    moments = [(at - readings[0][0]).total_seconds() for at, _ in readings]
    values = [value for _, value in readings]
    middle, mean = sum(moments) / len(moments), sum(values) / len(values)
    slope = sum((at - middle) * (value - mean) for at, value in zip(moments, values, strict=True))
    slope /= sum((at - middle) ** 2 for at in moments)
    return (bound - mean - slope * (moments[-1] - middle)) / slope


def test_a_steady_rise_reaches_each_worse_band_in_its_time() -> None:
    readings = series((80 + 0.03 * index for index in range(120)), 60)  # 1.8 an hour, at 83.57 now
    warning, critical = ahead(readings)
    now = readings[-1][0]
    assert (warning.level, warning.bound, critical.level, critical.bound) == (
        Level.WARNING,
        85,
        Level.CRITICAL,
        95,
    )
    assert warning.slope == pytest.approx(1.8)
    assert (warning.reaches_at - now).total_seconds() == pytest.approx((85 - 83.57) / 1.8 * 3600)
    assert critical.lead.total_seconds() == pytest.approx((95 - 83.57) / 1.8 * 3600)
    assert (warning.points, warning.made_at) == (120, now)
    assert warning.z > 3


def test_only_bands_worse_than_the_present_one_are_foretold() -> None:
    readings = series((84 + 0.03 * index for index in range(120)), 60)
    assert [each.level for each in ahead(readings)] == [Level.CRITICAL]
    assert [each.level for each in ahead(readings, Level.WARNING)] == [Level.CRITICAL]
    assert ahead(readings, Level.CRITICAL) == ()
    rising = series(45 + 0.05 * index for index in range(240))
    found = forecasts(rising, FIVE, rising[-1][0])
    assert [each.level for each in found] == [Level.WARNING, Level.ERROR, Level.CRITICAL, Level.EMERGENCY]


def test_where_low_is_bad_a_fall_is_foretold_and_a_rise_is_not() -> None:
    falling = series((100 - 0.0003 * index for index in range(300)), 60)
    found = forecasts(falling, UPTIME, falling[-1][0])
    assert [each.bound for each in found] == [99.9, 99.5]
    assert found[0].slope == pytest.approx(-0.018)
    rising = series((99.91 + 0.0002 * index for index in range(300)), 60)
    assert forecasts(rising, UPTIME, rising[-1][0]) == ()


def test_with_a_tenth_of_spikes_the_time_is_right_where_least_squares_is_not() -> None:
    ours, ordinary = [], []
    for seed in range(200):
        random = dice(seed)
        length = 240 * 30
        slope = random.uniform(8, 20) / length
        wait = random.uniform(1800, 10_800)
        readings = series(95 - slope * (wait + length - 30 * index) + spiky(random) for index in range(240))
        found = [each for each in ahead(readings) if each.level is Level.CRITICAL]
        assert found, f"seed {seed}: no forecast"
        truth = wait + 30
        ours.append(abs(found[0].lead.total_seconds() - truth) / truth)
        ordinary.append(abs(least_squares_wait(readings, 95) - truth) / truth)
    assert median(ours) < 0.03
    assert median(ordinary) > 0.15


def white(random: Random, count: int) -> list[float]:
    return [50 + random.gauss(0, 3) for _ in range(count)]


def even(random: Random, count: int) -> list[float]:
    return [70 + random.uniform(-5, 5) for _ in range(count)]


def with_spikes(random: Random, count: int) -> list[float]:
    return [60 + spiky(random, 1.0) for _ in range(count)]


def related(random: Random, count: int) -> list[float]:
    """Each reading is half the one before."""
    values, last = [], 0.0
    for _ in range(count):
        last = 0.5 * last + random.gauss(0, 2)
        values.append(50 + last)
    return values


@pytest.mark.parametrize("noise", [white, even, with_spikes])
def test_noise_without_a_trend_is_never_foretold(noise: Callable[[Random, int], list[float]]) -> None:
    for count, seeds in ((12, 1500), (13, 1000), (24, 1000), (60, 500), (240, 100), (2880, 20)):
        found = [seed for seed in range(seeds) if ahead(series(noise(dice(seed), count), 60))]
        assert found == [], f"{count} points"


def test_noise_that_remembers_is_hardly_ever_foretold() -> None:
    found = sum(bool(ahead(series(related(dice(seed), 60), 60))) for seed in range(1000))
    assert found <= 1


@pytest.mark.parametrize(
    "values",
    [
        [],
        [80.0],
        [80.0] * 500,
        [0.0] * 12,
        [80 + 0.1 * index for index in range(11)],  # too few
        [80 - 0.1 * index for index in range(100)],  # to the good side
        [60 + (5 if index >= 60 else 0) for index in range(120)],  # a step is no trend
        [60 + 0.2 * min(index, 60) for index in range(120)],  # it has levelled off
        [50.0 + index % 2 for index in range(200)],
    ],
    ids=["none", "one", "flat", "zero", "eleven", "falling", "step", "levelled off", "to and fro"],
)
def test_what_is_no_trend_is_not_foretold(values: Sequence[float]) -> None:
    assert forecasts(series(values), DISK, T0 + timedelta(seconds=30 * len(values))) == ()


def test_twelve_points_are_enough() -> None:
    assert len(ahead(series((80 + 0.1 * index for index in range(12)), 60))) == 1


def test_nothing_is_foretold_beyond_a_day_or_six_times_what_was_seen() -> None:
    slow = series((40 + 0.01 * index for index in range(1440)), 60)  # 0.6 an hour: 51 hours to go
    assert ahead(slow) == ()
    short = series((60 + 0.1 * index for index in range(30)), 60)  # 6 an hour: four hours after half an hour
    assert ahead(short) == ()
    longer = series((60 + 0.1 * index for index in range(90)), 60)
    assert [each.level for each in ahead(longer)] == [Level.WARNING, Level.CRITICAL]


def test_a_trend_that_quickens_is_followed() -> None:
    values = [60.0] * 200 + [60 + 0.25 * index for index in range(100)]
    found = ahead(series(values))
    assert found[0].slope == pytest.approx(30, rel=0.25)


def test_after_a_disk_was_cleaned_only_what_came_since_counts() -> None:
    before = [70 + 0.02 * index for index in range(1000)]
    after = [60 + 0.2 * index for index in range(60)]
    found = ahead(series(before + after))
    assert found[0].points == pytest.approx(60, abs=4)
    assert found[0].slope == pytest.approx(24, rel=0.02)
    assert (85 - 71.8) / 24 * 3600 == pytest.approx(found[0].lead.total_seconds(), rel=0.03)


@pytest.mark.parametrize("since", [2, 5, 11])
def test_just_after_a_drop_nothing_is_foretold(since: int) -> None:
    values = [80 + 0.05 * index for index in range(200)] + [60 + 0.05 * index for index in range(since)]
    assert ahead(series(values)) == ()


def test_where_low_is_bad_a_drop_is_a_rise() -> None:
    falling = [100 - 0.001 * index for index in range(300)]
    mended = [99.99 - 0.0004 * index for index in range(100)]
    readings = series(falling + mended)
    found = forecasts(readings, UPTIME, readings[-1][0])
    assert found[0].points == pytest.approx(100, abs=4)
    assert found[0].slope == pytest.approx(-0.048, rel=0.05)


def test_spikes_are_no_drops() -> None:
    for seed in range(200):
        random = dice(seed)
        points = [(30.0 * index, 60 + 0.01 * index + spiky(random)) for index in range(300)]
        assert len(since_last_drop(points)) == 300, f"seed {seed}"


def test_a_sawtooth_is_judged_by_its_last_tooth() -> None:
    points = [(30.0 * index, 60.0 + 0.5 * (index % 40)) for index in range(220)]
    assert since_last_drop(points)[0] == (30.0 * 200, 60.0)


def test_gaps_do_not_bend_the_line() -> None:
    whole = series((70 + 0.02 * index for index in range(600)), 60)
    holes = whole[:200] + whole[290:291] + whole[420:]
    assert ahead(holes)[0].slope == pytest.approx(ahead(whole)[0].slope)
    assert ahead(holes)[0].reaches_at == pytest.approx(ahead(whole)[0].reaches_at, abs=timedelta(seconds=1))


def test_old_readings_foretell_nothing() -> None:
    readings = series(80 + 0.03 * index for index in range(120))
    assert forecasts(readings, DISK, readings[-1][0] + timedelta(minutes=9))
    assert forecasts(readings, DISK, readings[-1][0] + timedelta(minutes=11)) == ()
    hourly = series((60 + index for index in range(20)), 3600)
    assert forecasts(hourly, DISK, hourly[-1][0] + timedelta(hours=2))


def test_a_bound_that_the_line_has_passed_is_reached_now() -> None:
    readings = series(80 + 0.1 * index for index in range(60))
    found = ahead(readings, Level.INFO)
    assert found[0].reaches_at == readings[-1][0]


@given(
    st.lists(
        st.tuples(st.floats(0.0, 600.0), st.floats(-1e9, 1e9, allow_subnormal=False)),
        min_size=0,
        max_size=300,
    )
)
def test_whatever_comes_a_forecast_is_sound(steps: list[tuple[float, float]]) -> None:
    readings: Series = []
    at = T0
    for seconds, value in steps:
        at += timedelta(seconds=seconds)
        readings.append((at, value))
    for bands in (DISK, UPTIME, FIVE):
        for found in forecasts(readings, bands, at):
            assert math.isfinite(found.slope)
            assert found.made_at <= found.reaches_at <= found.made_at + HORIZON
            assert (found.slope > 0) == bands.rising
            assert found.z > 3


@given(st.integers(1, 5000))
def test_thinning_bounds_the_pairs_and_keeps_short_series(count: int) -> None:
    points = [(float(index), float(index)) for index in range(count)]
    few = thinned(points)
    assert len(few) == min(count, MOST_POINTS)
    assert [value for _, value in few] == sorted(value for _, value in few)
