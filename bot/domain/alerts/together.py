"""Which alerts fired together more often than chance would have it (alerts.md, Context and forecast)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

TIMES = 5
LIFT = 3.0
SPAN = timedelta(days=30)
NEAR = timedelta(minutes=5)
_CROWD = 50
"""Firings near one another that are still compared; in a larger crowd everything fires with everything."""


@dataclass(frozen=True, slots=True)
class Together:
    """Two alerts fired within five minutes of each other `times` times, `lift` times as often as they would
    if they had nothing to do with each other."""

    times: int
    lift: float


Pairs = Mapping[frozenset[str], Together]
"""By the two dedupe keys."""


def fired_together(firings: Sequence[tuple[str, datetime]], span: timedelta = SPAN) -> Pairs:
    """The pairs among `firings` (dedupe key and moment, in any order) that fired together at least 5 times
    with a lift of 3 or more. `span` is how long a time the firings are from.

    By chance, the alert b would fire near a given firing of a with the probability n(b)·2·5 min/span; lift is
    how many times more often it did. Alerts that fired fewer than 5 times are not looked at.
    """
    counts = Counter(key for key, _ in firings)
    moments = sorted((at.timestamp(), key) for key, at in firings if counts[key] >= TIMES)
    starts = [second for second, _ in moments]
    near = NEAR.total_seconds()
    met: Counter[tuple[str, str]] = Counter()
    for second, key in moments:
        first, end = bisect_left(starts, second - near), bisect_right(starts, second + near)
        if end - first <= _CROWD:
            met.update((key, other) for other in {name for _, name in moments[first:end]} if other != key)
    found: dict[frozenset[str], Together] = {}
    for (one, other), count in met.items():
        # Once for each firing of the one that had the other near, and the other way round: the fewer count.
        times = min(count, met[other, one])
        lift = times * span.total_seconds() / (counts[one] * counts[other] * 2 * near)
        if times >= TIMES and lift >= LIFT:
            found[frozenset((one, other))] = Together(times, lift)
    return found
