"""What became of a forecast (alerts.md, Context and forecast)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

_NEAR_SHARE = 0.2
_NEAR = timedelta(minutes=10)
_WAIT = timedelta(minutes=30)


class Outcome(StrEnum):
    """How a forecast turned out. Early and late are said of what happened, not of the forecast."""

    HIT = "hit"
    EARLY = "early"
    LATE = "late"
    MISS = "miss"


@dataclass(frozen=True, slots=True)
class Foretold:
    """A forecast that was written down: `bound` is reached from below if `rising`. `id` is its row's."""

    id: int
    metric: str
    target: str
    rising: bool
    bound: float
    made_at: datetime
    reaches_at: datetime

    @property
    def waits_until(self) -> datetime:
        """How long it may still come true: as long again as it looked ahead, at least half an hour."""
        return self.reaches_at + max(self.reaches_at - self.made_at, _WAIT)


@dataclass(frozen=True, slots=True)
class Score:
    """`outcome` is None where nothing was measured that could tell. `error` is how much later than foretold
    it happened (negative: earlier), None if it did not."""

    outcome: Outcome | None
    actual_at: datetime | None = None
    error: timedelta | None = None


def score(foretold: Foretold, series: Sequence[tuple[datetime, float]], now: datetime) -> Score | None:
    """How it turned out, from the readings since it was made; None while that is open.

    Reached: two readings in a row at the bound or beyond, so that a spike is none. A hit is not further off
    than a fifth of the time it looked ahead, or ten minutes if that is more.
    """
    reached = _reached(foretold, series)
    if reached is not None:
        error = reached - foretold.reaches_at
        near = max(_NEAR, _NEAR_SHARE * (foretold.reaches_at - foretold.made_at))
        if abs(error) <= near:
            return Score(Outcome.HIT, reached, error)
        return Score(Outcome.LATE if error > timedelta(0) else Outcome.EARLY, reached, error)
    if now < foretold.waits_until:
        return None
    seen = bool(series) and series[-1][0] >= foretold.reaches_at
    return Score(Outcome.MISS if seen else None)


def _reached(foretold: Foretold, series: Sequence[tuple[datetime, float]]) -> datetime | None:
    for (at, value), (_, following) in pairwise(series):
        milder = min(value, following) if foretold.rising else max(value, following)
        if milder >= foretold.bound if foretold.rising else milder <= foretold.bound:
            return at
    return None
