"""The judge of canaries: how soon it finds what is bad, how soon it is sure of what is good, how often it is
wrong about it; beside the naive rule "back unless errors / requests < 0.1 %, from 1,000 requests on"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import JsonValue

from bench.canaries import (
    NAIVE_AFTER,
    busy_one_fails,
    errors_at,
    judge_certifies_at,
    judge_fails_at,
    naive_fails_at,
    slow_fails_at,
    whole_run,
)
from bench.figures import Figure, Result, middle, percentile

NAME = "judge"
ALARMS_AIM = 1.0
"""percent"""
LOOK_AIM = 20.0
"""milliseconds of processor time: a fiftieth of the second between looks"""
_SEED = 20_261_129
_REQUESTS = 20_000
_MANY = 100_000
_SOON = 5_000
"""Requests within which what is really bad is found, by either."""
_SHARE = "% of canaries"
_HEALTHY = 0.0002


async def measure(quick: bool) -> Result:
    """Everything by simulation, with one seed."""
    runs, canaries, whole = (100, 500, 1) if quick else (10_000, 10_000, 200)
    chance = np.random.default_rng(_SEED)
    figures = [
        *_failing(chance, runs),
        *_certifying(chance, runs),
        *_alarms(chance, canaries),
        *_slow(chance, canaries // 10),
        *_whole(chance, whole),
    ]
    method = (
        f"simulated, seed {_SEED}: {runs:,} releases a rate until failed or certified, {canaries:,} healthy"
        f" canaries of {_REQUESTS:,} requests ({canaries // 10:,} for response times and busy services),"
        f" {whole} whole runs"
    )
    about: dict[str, JsonValue] = {"seed": _SEED, "runs": runs, "canaries": canaries, "whole": whole}
    return Result(NAME, method, figures, about)


def _failing(chance: np.random.Generator, runs: int) -> list[Figure]:
    figures: list[Figure] = []
    for rate in (1.0, 0.5, 0.05, 0.01):
        ours: list[float] = []
        floor: list[float] = []
        for _ in range(runs):
            errors = errors_at(chance, rate, _SOON)
            ours.append(judge_fails_at(errors) or _SOON)
            floor.append(naive_fails_at(errors, _SOON) or _SOON)
        figures += [
            Figure(
                f"{100 * rate:g} % errors: requests until it fails, {name}", "requests", of(floor), of(ours)
            )
            for name, of in (("median", middle), ("p95", _p95))
        ]
    return figures


def _certifying(chance: np.random.Generator, runs: int) -> list[Figure]:
    figures: list[Figure] = []
    for rate in (0.0, _HEALTHY):
        drawn = [errors_at(chance, rate, _MANY) for _ in range(runs)]
        ours = _found([judge_certifies_at(each, _MANY) for each in drawn], _MANY)
        figures += [
            Figure(
                f"{100 * rate:g} % errors: requests until certified, {name}",
                "requests",
                NAIVE_AFTER,
                of(ours),
            )
            for name, of in (("median", middle), ("p95", _p95))
        ]
    for rate in (0.001, 0.002, 0.005):
        passed = naive = 0
        for _ in range(runs):
            errors = errors_at(chance, rate, _REQUESTS)
            certain, failed = judge_certifies_at(errors, _REQUESTS), judge_fails_at(errors)
            passed += certain is not None and (failed is None or certain < failed)
            naive += naive_fails_at(errors, _REQUESTS, once=True) is None
        what = f"{100 * rate:g} % errors: ever certified within {_REQUESTS:,} requests"
        figures.append(Figure(what, _SHARE, 100 * naive / runs, 100 * passed / runs))
    return figures


def _alarms(chance: np.random.Generator, canaries: int) -> list[Figure]:
    figures: list[Figure] = []
    for rate, aim in ((_HEALTHY, ALARMS_AIM), (0.0005, None)):
        drawn = [errors_at(chance, rate, _REQUESTS) for _ in range(canaries)]
        ours = _percent([judge_fails_at(each) for each in drawn])
        once = _percent([naive_fails_at(each, _REQUESTS, once=True) for each in drawn])
        always = _percent([naive_fails_at(each, _REQUESTS) for each in drawn])
        what = f"{100 * rate:g} % errors: healthy canaries rolled back"
        figures += [
            Figure(f"{what}, the naive rule looks once", _SHARE, once, ours, at_most=aim),
            Figure(f"{what}, the naive rule goes on looking", _SHARE, always, ours, at_most=aim),
        ]
        busy = [busy_one_fails(chance, rate) for _ in range(canaries // 10)]
        judge, naive = (100 * sum(each) / len(busy) for each in zip(*busy, strict=True))
        figures.append(Figure(f"{what}, five stages at 1,000 requests/s", _SHARE, naive, judge))
    return figures


def _slow(chance: np.random.Generator, canaries: int) -> list[Figure]:
    bad = [slow_fails_at(chance, 0.08, _REQUESTS) for _ in range(canaries)]
    ours, floor = (_found([each[which] for each in bad], _REQUESTS) for which in (0, 1))
    good = [slow_fails_at(chance, 0.02, _REQUESTS) for _ in range(canaries)]
    return [
        Figure("8 % slow: requests until it fails, median", "requests", middle(floor), middle(ours)),
        Figure("8 % slow: requests until it fails, p95", "requests", _p95(floor), _p95(ours)),
        Figure(
            "2 % slow: healthy canaries rolled back", _SHARE, _percent([each[1] for each in good]),
            _percent([each[0] for each in good]), at_most=ALARMS_AIM,
        ),
    ]  # fmt: skip


def _whole(chance: np.random.Generator, runs: int) -> list[Figure]:
    ended = [whole_run(chance, _HEALTHY) for _ in range(runs)]
    back, naive = (
        100 * sum(each) / runs
        for each in zip(*((run.went_back, run.naive_went_back) for run in ended), strict=True)
    )
    looks = [each for run in ended for each in run.took]
    naive_looks = [each for run in ended for each in run.naive_took]
    return [
        Figure("0.02 % errors: whole runs rolled back, all measures", _SHARE, naive, back,
               at_most=ALARMS_AIM),
        *(
            Figure(
                f"one look, all measures, processor time, p{percent:g}", "ms",
                percentile(naive_looks, percent), percentile(looks, percent), at_most=LOOK_AIM,
            )
            for percent in (50.0, 99.0)
        ),
    ]  # fmt: skip


def _found(at: Sequence[int | None], most: int) -> list[float]:
    """The requests it took; what was not found at all counts as the most that were looked at."""
    return [float(most if each is None else each) for each in at]


def _percent(at: Sequence[int | None]) -> float:
    return 100 * sum(each is not None for each in at) / len(at)


def _p95(values: Sequence[float]) -> float:
    return percentile(values, 95)
