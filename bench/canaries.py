"""Simulated canaries for the judge, and the naive rule beside it. Seeded: equal runs, equal figures.

Errors are rare, and so what is drawn is the gaps between them. What judges is the code that runs in
production.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import erf, log, sqrt
from time import thread_time
from typing import TypeAlias

import numpy as np

from bot.domain.deploy.certainty import certifying
from bot.domain.deploy.evidence import SLOW_TEST, error_test
from bot.domain.deploy.measures import BOUNDS, Counted, Counters, Latencies, Usage
from bot.domain.deploy.sample import Sample
from bot.domain.deploy.sequential import Suspicion
from bot.domain.deploy.stage import Kind, first_stage, next_stage, step
from bot.domain.deploy.thresholds import Rules

LIMIT = 0.1
"""percent"""
NAIVE_AFTER = 1_000
STAGES = (10, 25, 50, 75, 100)
_BAD = Counted(1, 1)
_LOOK = 20
_Sides: TypeAlias = list[tuple[Counters, Latencies]]


def errors_at(chance: np.random.Generator, rate: float, requests: int) -> list[int]:
    """Which of so many requests are errors, counted from 1."""
    if rate >= 1:
        return list(range(1, requests + 1))
    at: list[int] = []
    position = 0
    while rate > 0:
        for gap in chance.geometric(rate, size=64).tolist():
            position += gap
            if position > requests:
                return at
            at.append(position)
    return at


def judge_fails_at(errors: list[int]) -> int | None:
    """The request by which the test of the error rate has failed a release with these errors."""
    test, suspicion, before = error_test(LIMIT), Suspicion(), 0
    for at in errors:
        suspicion = suspicion.after(test, Counted(at - before - 1, 0)).after(test, _BAD)
        if suspicion.is_enough(test):
            return at
        before = at
    return None


def judge_certifies_at(errors: list[int], requests: int) -> int | None:
    """The first request by which the rate is certain; None if so many do not do."""
    for count, following in enumerate([*errors, requests + 1]):
        enough = certifying(count, LIMIT)
        if enough < following:
            return enough if enough <= requests else None
    return None


def naive_fails_at(errors: list[int], requests: int, *, once: bool = False) -> int | None:
    """By the rule "back unless errors / requests < 0.1 %, from 1,000 requests on", looked at after every
    request, or once."""
    last = NAIVE_AFTER if once else requests
    early = sum(at <= NAIVE_AFTER for at in errors)
    if 100 * early / NAIVE_AFTER >= LIMIT:
        return NAIVE_AFTER
    for count, at in enumerate(errors, 1):
        if NAIVE_AFTER < at <= last and 100 * count / at >= LIMIT:
            return at
    return None


def busy_one_fails(chance: np.random.Generator, rate: float) -> tuple[bool, bool]:
    """Whether a release at a service of 1,000 requests a second is failed, looked at each second, five
    minutes a stage: by the judge's test of the error rate, and by the naive rule."""
    test, suspicion, total, naive = error_test(LIMIT), Suspicion(), Counted(), False
    for share in STAGES:
        for errors in chance.binomial(10 * share, rate, size=300).tolist():
            counted = Counted(10 * share, errors)
            suspicion, total = suspicion.after(test, counted), total + counted
            naive |= total.requests >= NAIVE_AFTER and 100 * total.errors / total.requests >= LIMIT
            if suspicion.is_enough(test):
                return True, naive
    return False, naive


def slow_fails_at(chance: np.random.Generator, share: float, requests: int) -> tuple[int | None, int | None]:
    """The request by which a release with such a share of slow answers is failed, by the judge and by the
    rule "back unless the 95th percentile is below 500 ms, from 1,000 requests on"; 20 a look."""
    suspicion, ours, naive, slow = Suspicion(), None, None, 0
    for look, errors in enumerate(chance.binomial(_LOOK, share, size=requests // _LOOK).tolist(), 1):
        seen, slow = look * _LOOK, slow + errors
        if naive is None and seen >= NAIVE_AFTER and slow >= 0.05 * seen:
            naive = seen
        suspicion = suspicion.after(SLOW_TEST, Counted(_LOOK, errors))
        if ours is None and suspicion.is_enough(SLOW_TEST):
            ours = seen
        if ours is not None and naive is not None:
            break
    return ours, naive


@dataclass(slots=True)
class WholeRun:
    """Of the judge and of the naive rule: whether traffic went back, and what each look took, ms of processor
    time."""

    went_back: bool = False
    naive_went_back: bool = False
    took: list[float] = field(default_factory=list)
    naive_took: list[float] = field(default_factory=list)


def whole_run(chance: np.random.Generator, rate: float) -> WholeRun:
    """A run through all five stages: 200 requests a second, a look each second, a minute a stage, answers of
    20 ms (log-normal) on both sides."""
    stage, run = first_stage(Rules(dwell=60), 10, 0.0), WholeRun()
    sides: _Sides = [(Counters(0, 0, "1"), Latencies())] * 2
    second = 0.0
    for share in STAGES:
        if share != 10:
            stage = next_stage(stage, share, second)
        for sample in _looks(chance, rate, share, sides):
            second += 1
            began = thread_time()
            run.naive_went_back |= _is_naively_bad(sample)
            looked = thread_time()
            stage, decision = step(stage, sample, second)
            run.took.append(1000 * (thread_time() - looked))
            run.naive_took.append(1000 * (looked - began))
            if decision.kind is Kind.ROLL_BACK:
                run.went_back = True
                return run
            if decision.kind is Kind.PASS:
                break
    return run


def _is_naively_bad(sample: Sample) -> bool:
    seen = sample.green
    return seen is not None and seen.requests >= NAIVE_AFTER and 100 * seen.errors / seen.requests >= LIMIT


def _looks(chance: np.random.Generator, rate: float, share: int, sides: _Sides) -> Iterator[Sample]:
    shares = _log_normal(20.0, 0.5)
    for _ in range(600):
        green = int(chance.binomial(200, share / 100))
        for colour, count in enumerate((green, 200 - green)):
            counters, latencies = sides[colour]
            errors = counters.errors + int(chance.binomial(count, rate))
            more = Latencies(tuple(chance.multinomial(count, shares).tolist()))
            sides[colour] = Counters(counters.requests + count, errors, "1"), latencies.plus(more)
        (green_counters, green_took), (blue_counters, blue_took) = sides
        usage = Usage(float(chance.normal(40, 5)), 50.0)
        yield Sample(
            green_counters, blue_counters, green_took, blue_took, usage, alive=True, restarts=0, healthy=True
        )


def _log_normal(middle: float, spread: float) -> list[float]:
    below = [0.5 * (1 + erf(log(bound / middle) / spread / sqrt(2))) for bound in BOUNDS]
    return [each - before for each, before in zip([*below, 1.0], [0.0, *below], strict=True)]
