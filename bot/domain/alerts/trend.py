"""The trend of a series: robust slope, whether it is one at all, and where the present level began.

Theil–Sen's slope is the median of the slopes of all pairs, so that spikes hardly move it; Mann–Kendall's z
says whether rises outnumber falls by more than chance (alerts.md, Context and forecast). A series is first
thinned to `MOST_POINTS` medians, so that the pairs are bounded whatever its length.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

MOST_POINTS = 96
"""4,560 pairs, which take about two milliseconds."""

Point = tuple[float, float]
"""Seconds and value."""

_BEFORE = 9
"""Points on each side of a drop that are compared; after the last drop two are enough."""
_FEWEST_BEFORE = 4
_FEWEST_AFTER = 2
_NOISES = 6.0
_SHARE = 0.2
_SIGMA = 1.4826
"""From the median absolute deviation to a standard deviation."""
_MEMORY = 0.95
"""The most correlation of neighbours that is believed."""
_OBVIOUS = 8.0
"""A line that rises by so many times its noise is a trend whatever its neighbours have in common: a smooth
curve is all memory, and a trend all the same."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through a series: `slope` per second, `level` at `at` (seconds), Mann–Kendall's `z`, as it is
    (`plain_z`) and without what neighbours only repeat; how far the points lie from the line (`noise`, as a
    standard deviation), how many points it was drawn through, and since when (seconds)."""

    slope: float
    level: float
    at: float
    z: float
    plain_z: float
    noise: float
    points: int
    since: float

    def value_at(self, second: float) -> float:
        """The line's value at that second."""
        return self.level + self.slope * (second - self.at)


def trend_of(series: Sequence[Point]) -> Trend | None:
    """The line through `series`, in the order of time; None for fewer than two moments."""
    points = thinned(series)
    slopes: list[float] = []
    rises = 0
    for index, (at, value) in enumerate(points):
        for later, other in points[index + 1 :]:
            if later > at:
                slopes.append((other - value) / (later - at))
                rises += (other > value) - (other < value)
    if not slopes:
        return None
    slope = median(slopes)
    end = points[-1][0]
    level = median(value + slope * (end - at) for at, value in points)
    away = [value - level + slope * (end - at) for at, value in points]
    z = plain_z = _kendall([value for _, value in points], rises)
    noise = _SIGMA * median(map(abs, away))
    if abs(slope) * (end - points[0][0]) <= _OBVIOUS * noise:
        z /= math.sqrt(_repeated(away, noise))
    return Trend(slope, level, end, z, plain_z, noise, len(series), points[0][0])


def thinned(series: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most `most` points: the median moment and value of as many equal groups of neighbours."""
    if len(series) <= most:
        return list(series)
    groups = (series[start:end] for start, end in _groups(len(series), most))
    return [(median(at for at, _ in group), median(value for _, value in group)) for group in groups]


def since_last_drop(series: Sequence[Point]) -> Sequence[Point]:
    """The part of `series` after the last drop of its level (a disk was cleaned); all of it if there is none.

    A drop: of the nine points before (at least four) three quarters, and of the nine points after (at least
    two) three quarters, lie on two sides that are further apart than six times the noise between neighbours
    and than a fifth of the range of the whole. A few spikes to either side are therefore no drop. It is
    looked for in the newest points, then in the thinned series, then in what is left, until there is none.
    """
    tail = series[-MOST_POINTS:]
    newest = _last_drop([value for _, value in tail])
    if newest is not None:
        return tail[newest:]
    rest = series
    while True:
        points = thinned(rest)
        at = _last_drop([value for _, value in points])
        if at is None:
            return rest
        if len(rest) > MOST_POINTS:
            # It is somewhere within a group: some way before it, the next and finer look finds it again.
            back = 2 * (len(rest) // MOST_POINTS) + _FEWEST_BEFORE
            at = max(1, _groups(len(rest), MOST_POINTS)[at][0] - back)
        rest = rest[at:]


def _groups(length: int, most: int) -> list[tuple[int, int]]:
    return [(number * length // most, (number + 1) * length // most) for number in range(most)]


def _last_drop(values: Sequence[float]) -> int | None:
    """The index of the first point after the last drop."""
    if len(values) < _FEWEST_BEFORE + _FEWEST_AFTER:
        return None
    needed = max(_NOISES * _jitter(values), _SHARE * _range(values))
    found: int | None = None
    for index in range(len(values) - _FEWEST_AFTER, _FEWEST_BEFORE - 1, -1):
        before = sorted(values[max(0, index - _BEFORE) : index])
        after = sorted(values[index : index + _BEFORE])
        high = before[(len(before) - 1) // 4]
        low = after[len(after) - 1 - (len(after) - 1) // 4]
        if high - low > needed > 0:
            # Neighbouring indexes see the same drop: the largest step among them is where it happened.
            if found is None or values[index - 1] - values[index] > values[found - 1] - values[found]:
                found = index
        elif found is not None:
            break
    return found


def _jitter(values: Sequence[float]) -> float:
    """The noise between neighbours, as a standard deviation; a steady slope is none."""
    steps = [after - before for before, after in pairwise(values)]
    middle = median(steps)
    return _SIGMA * median(abs(step - middle) for step in steps) / math.sqrt(2)


def _range(values: Sequence[float]) -> float:
    ordered = sorted(values)
    tenth = len(ordered) // 10
    return ordered[-1 - tenth] - ordered[tenth]


def _kendall(values: Sequence[float], rises: int) -> float:
    """Mann–Kendall's z of that many rises more than falls, equal values allowed for."""
    count = len(values)
    variance = count * (count - 1) * (2 * count + 5)
    variance -= sum(tied * (tied - 1) * (2 * tied + 5) for tied in Counter(values).values())
    if variance <= 0 or rises == 0:
        return 0.0
    return (rises - math.copysign(1, rises)) / math.sqrt(variance / 18)


def _repeated(away: Sequence[float], noise: float) -> float:
    """How many points say the same as their neighbours, at least 1: what follows its neighbour is no new
    evidence, and without this a slowly wandering series is taken for a trend."""
    # A spike is cut to the size of the noise: it would hide how much its neighbours have in common.
    cut = [max(-3 * noise, min(3 * noise, each)) for each in away]
    middle = sum(cut) / len(cut)
    total = sum((each - middle) ** 2 for each in cut)
    if total == 0:
        return 1.0
    found = sum((a - middle) * (b - middle) for a, b in pairwise(cut)) / total
    # Around a line that was drawn through them, few points seem to have less in common than they do.
    memory = (found + 2 / len(cut)) / (1 - 4 / len(cut)) if len(cut) > 4 else found
    memory = max(0.0, min(_MEMORY, memory))
    return (1 + memory) / (1 - memory)
