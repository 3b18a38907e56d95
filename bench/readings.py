"""Made-up readings: many series that are good most of the time and bad for a while now and then."""

from __future__ import annotations

import random
from collections.abc import Iterator

GOOD, BAD = 40.0, 95.0
"""percent, in the middle of each band"""
BOUND = 70.0
"""where bad begins"""
_BAD_SHARE = 0.02
_BAD_LENGTH = 10.0
"""readings, on average: most bad times last long enough to be confirmed"""


def rounds(count: int, series: int) -> Iterator[list[float]]:
    """At least `count` readings as rounds of one reading for each of `series`; always the same ones."""
    chance = random.Random(3)  # noqa: S311 - makes load, guards nothing
    ends = 1 / _BAD_LENGTH
    begins = ends * _BAD_SHARE / (1 - _BAD_SHARE)
    bad = [chance.random() < _BAD_SHARE for _ in range(series)]
    for _ in range(-(-count // series)):
        bad = [chance.random() >= ends if was else chance.random() < begins for was in bad]
        yield [(BAD if each else GOOD) + chance.uniform(-3, 3) for each in bad]
