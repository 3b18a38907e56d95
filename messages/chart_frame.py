"""A chart as figures: what is drawn where, before anything is drawn. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from messages.chart_facts import ChartFacts
from messages.chart_scales import time_ticks, value_range, value_ticks
from messages.formats import parse_moment

Point = tuple[float, float]
"""A moment in Unix seconds and a value."""

_SHORTEST = 600.0
"""seconds that a chart shows at least"""
_FORECAST_SHARE = 0.4
"""The future takes at most this much of the width: the forecast's horizon is a day, the past's some hours."""
_BEYOND = 3.0
"""A bound more than this many times above everything else would make a flat line of all the rest."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One chart. Moments are Unix seconds."""

    start: float
    end: float
    low: float
    high: float
    lines: tuple[tuple[Point, ...], ...]
    """the values, parted where there are none"""
    gaps: tuple[tuple[float, float], ...]
    bounds: tuple[tuple[str, float], ...]
    forecast: tuple[Point, ...]
    """from the last value on, cut at the right edge"""
    fired: float | None
    resolved: float | None
    value_ticks: tuple[float, ...]
    time_ticks: tuple[tuple[float, str], ...]

    @property
    def last(self) -> Point:
        """The latest value."""
        return self.lines[-1][-1]


def frame_of(facts: ChartFacts) -> Frame | None:
    """The chart of these facts; None when not one value is known. ValueError for a malformed moment."""
    series = [(_seconds(at), value) for at, value in facts.points]
    series = [(at, value if value is None or math.isfinite(value) else None) for at, value in series]
    series.sort(key=lambda point: point[0])
    lines, gaps = _parted(series)
    if not lines:
        return None
    fired = _seconds(facts.fired_at) if facts.fired_at else None
    resolved = _seconds(facts.resolved_at) if facts.resolved_at else None
    start = series[0][0]
    end = max(series[-1][0], *(moment for moment in (fired, resolved) if moment is not None), start)
    start = min(start, end - _SHORTEST)
    forecast = _cut(
        lines[-1][-1],
        [(_seconds(at), value) for at, value in facts.forecast],
        end + (end - start) * _FORECAST_SHARE / (1 - _FORECAST_SHARE),
    )
    if forecast:
        end = max(end, forecast[-1][0])
    seen = [value for line in lines for _, value in line] + [value for _, value in forecast]
    bounds = _bounds_near(facts, seen)
    low, high = value_range([*seen, *(value for _, value in bounds)], facts.unit)
    return Frame(
        start=start,
        end=end,
        low=low,
        high=high,
        lines=lines,
        gaps=gaps,
        bounds=bounds,
        forecast=forecast,
        # A mark that lies before all readings has no place on the chart.
        fired=fired if fired is not None and fired >= start else None,
        resolved=resolved if resolved is not None and resolved >= start else None,
        value_ticks=value_ticks(low, high, facts.unit, facts.metric),
        time_ticks=time_ticks(start, end, ZoneInfo(facts.timezone)),
    )


def _seconds(moment: str) -> float:
    return parse_moment(moment).timestamp()


def _parted(
    series: Sequence[tuple[float, float | None]],
) -> tuple[tuple[tuple[Point, ...], ...], tuple[tuple[float, float], ...]]:
    """The lines between the gaps, and the gaps: where a check failed, or where there is nothing for more
    than three times as long as usual."""
    usual = median(later[0] - earlier[0] for earlier, later in pairwise(series)) if len(series) > 1 else 0.0
    lines: list[list[Point]] = []
    gaps: list[tuple[float, float]] = []
    last: float | None = None
    failed = False
    for at, value in series:
        if value is None:
            failed = True
            continue
        if last is None or failed or at - last > 3 * usual:
            lines.append([])
            if last is not None or failed:
                gaps.append((series[0][0] if last is None else last, at))
        lines[-1].append((at, value))
        last, failed = at, False
    if failed and last is not None:
        gaps.append((last, series[-1][0]))
    return tuple(tuple(line) for line in lines), tuple(gaps)


def _cut(last: Point, future: Sequence[Point], edge: float) -> tuple[Point, ...]:
    """The line from the last value through the future's points, up to the right edge."""
    line = [last]
    for at, value in sorted(future):
        before_at, before = line[-1]
        if at <= before_at or not math.isfinite(value):
            continue
        if at > edge:
            share = (edge - before_at) / (at - before_at)
            line.append((edge, before + (value - before) * share))
            break
        line.append((at, value))
    return tuple(line) if len(line) > 1 else ()


def _bounds_near(facts: ChartFacts, seen: Sequence[float]) -> tuple[tuple[str, float], ...]:
    """The bounds worth drawing: the mildest, and every other that is not far beyond all the rest."""
    bounds = [(level, value) for level, value in facts.bounds if math.isfinite(value)]
    if not facts.rising or not bounds:
        return tuple(bounds)
    most = _BEYOND * max(*seen, bounds[0][1])
    return tuple(bound for index, bound in enumerate(bounds) if index == 0 or bound[1] <= most)
