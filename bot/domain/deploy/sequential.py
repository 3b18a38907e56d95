"""Tests that look at every request and decide as soon as the evidence will do (Wald 1945), and then go on.

Each adds up how much better "bad" explains what was counted than "good" does: the logarithm of the ratio of
their likelihoods. Wald's test ends when it believes in "good"; a release may turn bad later, and so the sum
is kept from falling below 0 instead (the cumulative sum of Page 1954): belief that was earned is never a
credit that a bad turn has to use up first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

from bot.domain.deploy.measures import Counted

ALPHA, BETA = 0.001, 0.05
BLOCK = 100
"""Requests of both colours that are compared together: what share each had is not known from fewer."""
_NOTHING = Counted()


@dataclass(frozen=True)
class RateTest:
    """Is the rate of errors `good`, or is it `bad`? Both are shares from 0 to 1. Not with slots, because what
    follows from them is kept."""

    good: float
    bad: float
    alpha: float = ALPHA
    """how likely one walk from 0 is to blame what is good"""
    beta: float = BETA
    most: float = 1.0
    """of the boundary, what one update can add: below 1, no single one decides"""

    def __post_init__(self) -> None:
        if not 0 < self.good < self.bad < 1:
            raise ValueError("good is more than nothing and less than bad")

    @cached_property
    def boundary(self) -> float:
        """Evidence from here on is enough."""
        return _boundary(self.alpha, self.beta)

    @cached_property
    def indifferent(self) -> float:
        """The rate, 0 to 1, above which evidence grows in the long run and below which it does not."""
        return -self._right / (self._wrong - self._right)

    def evidence(self, counted: Counted) -> float:
        """What these say for `bad`, and if negative for `good`."""
        found = counted.errors * self._wrong + (counted.requests - counted.errors) * self._right
        return min(found, self.most * self.boundary)

    @cached_property
    def _wrong(self) -> float:
        return math.log(self.bad / self.good)

    @cached_property
    def _right(self) -> float:
        return math.log((1 - self.bad) / (1 - self.good))


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How much speaks against Green, and what it was that does: everything since nothing did."""

    score: float = 0.0
    since: Counted = _NOTHING
    beside: Counted = _NOTHING
    """Blue in the same span"""

    def is_enough(self, test: RateTest) -> bool:
        """Whether it is found bad."""
        return self.score >= test.boundary

    def after(self, test: RateTest, counted: Counted, beside: Counted = _NOTHING) -> Suspicion:
        """With one update more, of any number of requests, whose order is not known."""
        if counted.requests == 0 and self.score == 0:
            return self
        score = self.score + test.evidence(counted)
        if score <= 0:
            return Suspicion()
        return Suspicion(score, self.since + counted, self.beside + beside)


@dataclass(frozen=True, slots=True)
class RatioTest:
    """Is Green's rate that of Blue, or `ratio` times as high? Looks at errors only: of all that there were,
    how many were Green's, given its share of the requests. What hits both alike says nothing, however bad it
    is."""

    ratio: float = 4.0
    alpha: float = ALPHA
    beta: float = BETA
    most: float = 1.0

    @property
    def boundary(self) -> float:
        """Evidence from here on is enough."""
        return _boundary(self.alpha, self.beta)

    def evidence(self, green: Counted, blue: Counted) -> float:
        """What these say for the ratio, and if negative for equality; nothing where only one had requests."""
        if green.requests == 0 or blue.requests == 0:
            return 0.0
        share = green.requests / (green.requests + blue.requests)
        swollen = math.log(1 + (self.ratio - 1) * share)
        # An error is Green's with probability `share` where both are alike, and with
        # ratio·share / (1 + (ratio-1)·share) where Green's rate is `ratio` times as high.
        found = green.errors * (math.log(self.ratio) - swollen) - blue.errors * swollen
        return min(found, self.most * self.boundary)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much speaks for Green being worse than Blue, since when nothing did, and what waits for a block to
    be full."""

    score: float = 0.0
    green: Counted = _NOTHING
    blue: Counted = _NOTHING
    waiting: tuple[Counted, Counted] = field(default=(_NOTHING, _NOTHING))

    def is_enough(self, test: RatioTest) -> bool:
        """Whether Green is found to be worse."""
        return self.score >= test.boundary

    def after(self, test: RatioTest, green: Counted, blue: Counted, *, both: bool = True) -> Comparison:
        """With what both did more. `both`: whether both are known up to the same moment; what is known of one
        only waits."""
        mine, other = self.waiting[0] + green, self.waiting[1] + blue
        if not both or mine.requests + other.requests < BLOCK:
            return Comparison(self.score, self.green, self.blue, (mine, other))
        score = self.score + test.evidence(mine, other)
        if score <= 0:
            return Comparison()
        return Comparison(score, self.green + mine, self.blue + other)


def _boundary(alpha: float, beta: float) -> float:
    return math.log((1 - beta) / alpha)
