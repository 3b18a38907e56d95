"""What is measured of a release while it carries traffic: how many requests, how many errors, how slow."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

_LOWEST, _GROWTH, _BUCKETS = 0.1, 1.05, 290
BOUNDS: tuple[float, ...] = tuple(_LOWEST * _GROWTH**power for power in range(_BUCKETS))
"""Upper bounds of the buckets, milliseconds: each 5 % above the one before, from 0.1 ms to two minutes."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Counted since `epoch` began. A load balancer that was started anew counts from nothing: its epoch is
    another one, and so no difference can be taken across it."""

    requests: int
    errors: int
    """answers of 5xx, connections and answers that failed, and retries and redispatches, which hide a dead
    server"""
    epoch: str

    def since(self, before: Counters | None) -> Counted:
        """What has happened since `before`; from the beginning of the epoch if that was another one, or
        None."""
        if before is None or before.epoch != self.epoch or before.requests > self.requests:
            return Counted(self.requests, min(self.errors, self.requests))
        return Counted.of(self.requests - before.requests, self.errors - before.errors)


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests in a span of time, and how many of them were errors."""

    requests: int = 0
    errors: int = 0

    @classmethod
    def of(cls, requests: int, errors: int) -> Counted:
        """As counted: an error may be counted a moment before its request is, and one request may fail twice
        (a retry, and then an answer of 503)."""
        requests = max(requests, errors, 0)
        return cls(requests, max(errors, 0))

    def __add__(self, other: Counted) -> Counted:
        return Counted(self.requests + other.requests, self.errors + other.errors)

    @property
    def rate(self) -> float | None:
        """Errors in percent of requests; None of no requests."""
        return None if self.requests == 0 else 100 * self.errors / self.requests


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long requests took: how many fell into each bucket of `BOUNDS`, and behind the last."""

    counts: tuple[int, ...] = field(default=(0,) * (_BUCKETS + 1))

    @classmethod
    def of(cls, milliseconds: Iterable[float]) -> Latencies:
        """Of single measurements."""
        counts = [0] * (_BUCKETS + 1)
        for value in milliseconds:
            counts[bucket_of(value)] += 1
        return cls(tuple(counts))

    def minus(self, before: Latencies) -> Latencies:
        """What came since `before`, which is an earlier state of the same."""
        return Latencies(
            tuple(max(0, one - other) for one, other in zip(self.counts, before.counts, strict=True))
        )

    def plus(self, other: Latencies) -> Latencies:
        """Both together."""
        return Latencies(tuple(one + more for one, more in zip(self.counts, other.counts, strict=True)))

    @property
    def total(self) -> int:
        """How many measurements."""
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """The duration, milliseconds, that so large a share stays within: the upper bound of its bucket,
        which is at most 5 % too high. None of nothing; infinite behind the last bound."""
        total = self.total
        if total == 0:
            return None
        place = bisect_left(list(accumulate(self.counts)), share * total)
        return BOUNDS[place] if place < _BUCKETS else float("inf")

    def over(self, milliseconds: float) -> int:
        """How many took longer, to within a bucket."""
        return sum(self.counts[bucket_of(milliseconds) + 1 :])


def bucket_of(milliseconds: float) -> int:
    """The index of the bucket that a duration falls into."""
    return bisect_left(BOUNDS, milliseconds)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a release takes of its machine."""

    cpu: float
    """percent of the cores that it may use"""
    memory: float
    """percent of the memory that it may use"""
