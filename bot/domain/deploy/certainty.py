"""How sure a rate is: exact binomial bounds, one-sided (Clopper and Pearson 1934), without a library.

An error rate "< 0.1 %" is certified when, were it really 0.1 %, so few errors would be seen in at most 5 % of
cases. Without an error that takes 2,995 requests, because 0.999 to that power is 0.05.
"""

from __future__ import annotations

import math
from functools import lru_cache

from bot.domain.deploy.measures import Counted

CONFIDENCE = 0.95
SURE = 0.999
_PRECISION = 1e-12
_TERMS = 100_000
_TINY = 1e-300


def chance_of_at_most(errors: int, requests: int, rate: float) -> float:
    """The probability of no more than so many errors in so many requests, each an error with probability
    `rate` (0 to 1)."""
    if errors >= requests:
        return 1.0
    return 0.0 if errors < 0 else 1 - _incomplete_beta(rate, errors + 1, requests - errors)


def chance_of_at_least(errors: int, requests: int, rate: float) -> float:
    """The probability of no fewer than so many errors."""
    if errors <= 0:
        return 1.0
    return 0.0 if errors > requests else _incomplete_beta(rate, errors, requests - errors + 1)


def upper_bound(counted: Counted, confidence: float = CONFIDENCE) -> float:
    """The rate, in percent, that the true one is below with that confidence; 100 of no requests."""
    if counted.errors >= counted.requests:
        return 100.0
    low, high = counted.errors / counted.requests, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if chance_of_at_most(counted.errors, counted.requests, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return 100 * high


def is_below(counted: Counted, limit: float, confidence: float = CONFIDENCE) -> bool:
    """Whether the rate is certified to be below `limit` percent."""
    return chance_of_at_most(counted.errors, counted.requests, limit / 100) <= 1 - confidence


def is_above(counted: Counted, limit: float, confidence: float = SURE) -> bool:
    """Whether the rate is above `limit` percent for sure: at it, so many errors would be hardly possible."""
    return chance_of_at_least(counted.errors, counted.requests, limit / 100) < 1 - confidence


def needed(counted: Counted, limit: float, confidence: float = CONFIDENCE) -> int | None:
    """How many further requests without an error certify a rate below `limit` percent; None if they do
    already."""
    if is_below(counted, limit, confidence):
        return None
    return max(1, certifying(counted.errors, limit, confidence) - counted.requests)


@lru_cache(maxsize=1024)
def certifying(errors: int, limit: float, confidence: float = CONFIDENCE) -> int:
    """The fewest requests that certify a rate below `limit` percent when so many of them were errors: 2,995
    for none and 4,742 for one, at 0.1 %."""
    low, high = errors, max(errors + 1, math.ceil(100 * (errors + 1) / limit))
    while not is_below(Counted(high, errors), limit, confidence):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if is_below(Counted(middle, errors), limit, confidence):
            high = middle
        else:
            low = middle
    return high


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, which a binomial tail is (DLMF 8.17.5), by its continued
    fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    # On the other side of the mean the fraction of the mirrored function converges, and not this one.
    if x < (a + 1) / (a + b + 2):
        return math.exp(scale) * _fraction(x, a, b) / a
    return 1 - math.exp(scale) * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Evaluated forward (Lentz 1976, as modified by Thompson and Barnett 1986); about √max(a, b) terms."""
    c, d = 1.0, 1 / _kept(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _kept(1 + term * d)
            c = _kept(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _kept(value: float) -> float:
    """Never so near to nothing that it cannot be divided by."""
    return value if abs(value) > _TINY else _TINY
