"""When a value will reach a worse band, if it goes on like this (alerts.md, Context and forecast).

A forecast is shown only when it deserves trust. Beside the design's gate (12 points, z > 3, 24 h):
the trend must still be there in the newer half, must be more than the noise around it, and is not
drawn further than six times as long as it has been seen. Where low is bad the series is turned over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alerts.trend import Point, Trend, since_last_drop, trend_of
from bot.domain.bands import Bands
from bot.domain.levels import Level

FEWEST_POINTS = 12
GATE = 3.0
"""Mann–Kendall's z must be above it."""
HORIZON = timedelta(hours=24)
_REACH = 6.0
"""How many times the length of what was seen a forecast may look ahead."""
_ABOVE_NOISE = 4.0
"""How many standard deviations of the noise the line must have risen by; twice as many with the fewest
points, whose noise is hardly known."""
_STILL = 0.5
"""Which share of the slope the newer half must have, or the trend is over."""
_FASTER = 1.5
"""How many times the slope makes the newer half a trend of its own."""
_OLD = timedelta(minutes=10)
_SPACINGS = 3


@dataclass(frozen=True, slots=True)
class Forecast:
    """At `reaches_at` the value reaches `bound`, where `level` begins. `slope` is per hour, in the metric's
    unit; `z` is Mann–Kendall's; `points` are those that it was drawn from; `made_at` is when."""

    bound: float
    level: Level
    made_at: datetime
    reaches_at: datetime
    slope: float
    z: float
    points: int

    @property
    def lead(self) -> timedelta:
        """How far ahead it looks."""
        return self.reaches_at - self.made_at


def forecasts(
    series: Sequence[tuple[datetime, float]], bands: Bands, now: datetime, beyond: Level | None = None
) -> tuple[Forecast, ...]:
    """When the value enters each band worse than `beyond` (None: than the one it is in), the mildest first.

    `series` is in the order of time, in the unit of the bands. Empty when there is no trend, none that leads
    to the bad side, or when the newest point is too old to speak of the present.
    """
    if not series or _is_old(series, now):
        return ()
    sign = 1.0 if bands.rising else -1.0
    start = series[0][0]
    points = [((at - start).total_seconds(), sign * value) for at, value in series]
    trend = _trusted(since_last_drop(points))
    if trend is None:
        return ()
    second = (now - start).total_seconds()
    here = beyond if beyond is not None else bands.level_of(sign * trend.value_at(second))
    found: list[Forecast] = []
    for level in sorted(bands.levels):
        if here is not None and level <= here:
            continue
        wait = _wait(trend, sign * bands.entry(level), second)
        if wait is not None:
            bound, slope = bands.entry(level), sign * trend.slope * 3600
            found.append(Forecast(bound, level, now, now + wait, slope, trend.z, trend.points))
    return tuple(found)


def _is_old(series: Sequence[tuple[datetime, float]], now: datetime) -> bool:
    spacing = (series[-1][0] - series[0][0]) / max(1, len(series) - 1)
    return now - series[-1][0] > max(_OLD, _SPACINGS * spacing)


def _trusted(points: Sequence[Point]) -> Trend | None:
    """The upward trend of the newest points, if it is one."""
    trend = trend_of(points)
    while trend is None or not _is_line(trend):
        # What rises on the whole, but not along one line, may do so in its newer half.
        points = points[len(points) // 2 :]
        if trend is None or trend.plain_z <= GATE or len(points) < FEWEST_POINTS:
            return None
        trend = trend_of(points)
    while True:
        points = points[len(points) // 2 :]
        newer = trend_of(points)
        if newer is None or newer.slope < _STILL * trend.slope:
            return None
        if newer.slope <= _FASTER * trend.slope or not _is_line(newer):
            return trend
        trend = newer


def _is_line(trend: Trend) -> bool:
    """Whether it is a rise that stands out from the noise, through points enough."""
    if trend.points < FEWEST_POINTS or trend.z <= GATE or trend.slope <= 0:
        return False
    risen = trend.slope * (trend.at - trend.since)
    return risen > _ABOVE_NOISE * (1 + FEWEST_POINTS / trend.points) * trend.noise


def _wait(trend: Trend, bound: float, second: float) -> timedelta | None:
    """How long until the line reaches the bound, from `second` on; None beyond the horizon."""
    seconds = (bound - trend.value_at(second)) / trend.slope
    furthest = min(HORIZON.total_seconds(), _REACH * (trend.at - trend.since))
    return timedelta(seconds=max(0.0, seconds)) if seconds <= furthest else None
