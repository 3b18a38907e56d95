"""The scales of a chart: which values and moments its edges are, and where it writes one. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

VALUE_TICKS = 4
TIME_TICKS = 7

_ZOOM_BELOW = 0.08
"""A series that moves by less than this share of its size is drawn without zero: 99.5 to 99.9 % would
otherwise be one line at the top."""
_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
"""minutes"""
_SECONDS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0)
_SECONDS_MORE = (14400.0, 21600.0, 43200.0, 86400.0, 172800.0, 604800.0)


def value_range(values: Sequence[float], unit: str) -> tuple[float, float]:
    """The lowest and the highest value of the scale for all that is drawn on it; zero is on it where that
    leaves something to see, and 100 % is the top of percentages that come near it."""
    top, bottom = max(values), min(values)
    spread = top - bottom
    if 0 < spread < _ZOOM_BELOW * max(abs(top), abs(bottom)):
        low, high = bottom - spread / 4, top + spread / 4
        return low, min(high, 100.0) if unit == "%" and top <= 100 else high
    if unit == "%" and 50 <= top <= 100:
        return min(0.0, bottom), 100.0
    low = 0.0 if bottom >= 0 else bottom - 0.1 * max(spread, abs(bottom))
    high = 0.0 if top < 0 else top + 0.1 * max(spread, top)
    return (low, high) if high > low else (0.0, 1.0)


def value_ticks(low: float, high: float, unit: str, metric: str = "") -> tuple[float, ...]:
    """Round values between the edges, about four of them."""
    if metric == "reachable":
        return (0.0, 1.0)
    step = _step((high - low) / VALUE_TICKS, unit)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(index * step, 12) for index in range(first, last + 1))


def _step(least: float, unit: str) -> float:
    """The next round step that is at least `least`: powers of 1024 for sizes, minutes and hours for times."""
    if unit in ("B", "B/s"):
        scale = 1.0
        while least >= 1024 * scale:
            scale *= 1024
        step = scale * _decimal_step(least / scale)
        return 1024 * scale if step > 512 * scale else step
    second = {"s": 1.0, "ms": 1000.0}.get(unit)
    if second is not None and least >= 10 * second:
        steps = (step * second for step in (*_SECONDS, *_SECONDS_MORE))
        return next((step for step in steps if step >= least), _decimal_step(least))
    return _decimal_step(least)


def _decimal_step(least: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(least))
    return next((round(power * digit, 12) for digit in (1, 2, 2.5, 5) if power * digit >= least), power * 10)


def time_ticks(start: float, end: float, zone: ZoneInfo) -> tuple[tuple[float, str], ...]:
    """Round local times between two moments (Unix seconds) as `14:30`, and midnight as its day, `11-29`."""
    minutes = [
        (float(second), datetime.fromtimestamp(second, UTC).astimezone(zone))
        for second in range(math.ceil(start / 60) * 60, int(end) + 1, 60)
    ]
    for step in _TIME_STEPS:
        chosen = [(second, at) for second, at in minutes if (at.hour * 60 + at.minute) % step == 0]
        if len(chosen) <= TIME_TICKS:
            break
    else:
        chosen = chosen[:: math.ceil(len(chosen) / TIME_TICKS)]
    return tuple(
        (second, at.strftime("%m-%d" if at.hour == at.minute == 0 else "%H:%M")) for second, at in chosen
    )


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Centres for labels of these sizes along a line, each as near as can be to where it is wanted, in the
    same order, none upon another and all between the edges while there is room."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    centres = list(wanted)
    edge = low
    for index in order:
        centres[index] = max(centres[index], edge + sizes[index] / 2)
        edge = centres[index] + sizes[index] / 2
    edge = high
    for index in reversed(order):
        centres[index] = min(centres[index], edge - sizes[index] / 2)
        edge = centres[index] - sizes[index] / 2
    return centres
