"""Fewer points that still show what happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

Point = tuple[datetime, float | None]
"""A moment and what was measured then; None: the check gave no value."""


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` of the points, in the order of time. Of each stretch the lowest and the highest, because
    a mean would hide the spike that the alert is about; or that there was none, where most checks failed."""
    if len(points) <= most:
        return list(points)
    stretches = max(1, most // 2)
    chosen: list[Point] = []
    for index in range(stretches):
        part = points[index * len(points) // stretches : (index + 1) * len(points) // stretches]
        values = [(at, value) for at, value in part if value is not None]
        if 2 * len(values) < len(part):
            chosen.append((part[0][0], None))
            continue
        extremes = {min(values, key=lambda point: point[1]), max(values, key=lambda point: point[1])}
        chosen.extend(sorted(extremes))
    return chosen
