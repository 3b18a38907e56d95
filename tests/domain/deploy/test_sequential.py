"""Tests that look at every request: how soon they find what is bad, and that they go on."""

from __future__ import annotations

import random
from math import log
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.evidence import BURST, LATENCY_TEST, SLOW_TEST, error_test
from bot.domain.deploy.measures import Counted
from bot.domain.deploy.sequential import Comparison, RateTest, RatioTest, Suspicion

GOOD, BAD = Counted(1, 0), Counted(1, 1)
COUNTS = st.builds(Counted.of, st.integers(0, 500), st.integers(0, 50))


NOTHING = Counted()


def requests_to_fail(rate: float, seed: int, before: Counted = NOTHING, most: int = 20_000) -> int:
    chance = random.Random(seed)  # noqa: S311 - a simulation
    test = error_test(0.1)
    suspicion = Suspicion().after(test, before)
    for number in range(1, most + 1):
        suspicion = suspicion.after(test, BAD if chance.random() < rate else GOOD)
        if suspicion.is_enough(test):
            return number
    return most + 1


def test_the_document_s_test() -> None:
    test = error_test(0.1)
    assert (test.good, test.bad) == (0.0005, 0.005)
    assert test.boundary == pytest.approx(log(0.95 / 0.001))


@pytest.mark.parametrize(
    ("rate", "least", "most"), [(1.0, 3, 3), (0.5, 5, 6), (0.05, 68, 84), (0.01, 330, 400)]
)
def test_it_fails_as_soon_as_it_was_designed_to(rate: float, least: int, most: int) -> None:
    """Medians of 3, 5, 76 and 365 requests (operations.md, Deploy). The third of errors that are half of all
    comes by the fifth request in exactly half of the cases."""
    assert least <= median(requests_to_fail(rate, seed) for seed in range(1000)) <= most


def test_a_good_hour_before_makes_it_no_slower() -> None:
    """Wald's own test would have to use up what a million good requests have earned."""
    before = Counted(1_000_000, 0)
    assert requests_to_fail(1.0, 0, before) == requests_to_fail(1.0, 0) == 3


def test_what_it_tells_is_what_speaks_against_green() -> None:
    test = error_test(0.1)
    suspicion = Suspicion().after(test, Counted(5000, 1), Counted(45_000, 0))
    assert suspicion == Suspicion()
    for _ in range(4):
        suspicion = suspicion.after(test, Counted(20, 1), Counted(180, 0))
    assert suspicion.is_enough(test)
    assert (suspicion.since, suspicion.beside) == (Counted(80, 4), Counted(720, 0))


@given(st.lists(COUNTS, max_size=30))
def test_a_score_never_falls_below_nothing(counts: list[Counted]) -> None:
    test, suspicion = error_test(0.1), Suspicion()
    for counted in counts:
        suspicion = suspicion.after(test, counted)
        assert suspicion.score >= 0
        assert suspicion.score > 0 or suspicion.since == Counted()


@given(st.lists(st.integers(2, 400), min_size=1, max_size=6))
def test_one_sample_of_several_requests_is_their_sum(sizes: list[int]) -> None:
    test = error_test(0.1)
    one, several = Suspicion(1.0), Suspicion(1.0)
    for size in sizes:
        one = one.after(test, Counted(size, 2))
        for each in (*[BAD] * 2, Counted(size - 2, 0)):
            several = several.after(test, each)
    assert one.score == pytest.approx(several.score)


@pytest.mark.parametrize("limit", [0.01, 0.1, 1, 10, 20, 60, 99])
def test_every_threshold_makes_a_test_that_is_indifferent_near_it(limit: float) -> None:
    test = error_test(limit)
    assert test.good < limit / 100 < test.bad
    assert test.good < test.indifferent < test.bad


def test_a_test_needs_two_rates() -> None:
    with pytest.raises(ValueError, match="less than bad"):
        RateTest(0.1, 0.1)


def slow(share: float, seed: int, requests: int, at_once: int = 20) -> bool:
    """Whether a release with such a share of slow requests is failed."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    suspicion = Suspicion()
    for _ in range(requests // at_once):
        errors = sum(chance.random() < share for _ in range(at_once))
        suspicion = suspicion.after(SLOW_TEST, Counted(at_once, errors))
        if suspicion.is_enough(SLOW_TEST):
            return True
    return False


def test_a_95th_percentile_is_failed_at_8_percent_slow_and_not_at_2() -> None:
    assert SLOW_TEST.indifferent == pytest.approx(0.05, abs=0.002)
    assert sum(slow(0.08, seed, 2_000) for seed in range(100)) >= 99
    assert sum(slow(0.02, seed, 20_000) for seed in range(50)) == 0


@pytest.mark.parametrize("at_once", [1, 20, 1000])
def test_8_percent_are_found_whatever_a_look_brings(at_once: int) -> None:
    assert slow(0.08, 7, 20_000, at_once)


def test_one_pause_does_not_fail_a_release() -> None:
    """A thousand requests wait for one collection of garbage."""
    suspicion = Suspicion().after(SLOW_TEST, Counted(1000, 1000))
    assert suspicion.score == pytest.approx(SLOW_TEST.boundary * BURST)
    assert not suspicion.is_enough(SLOW_TEST)
    assert suspicion.after(SLOW_TEST, Counted(1000, 0)) == Suspicion()
    for _ in range(2):
        suspicion = suspicion.after(SLOW_TEST, Counted(1000, 1000))
    assert suspicion.is_enough(SLOW_TEST)


def compared(green_rate: float, blue_rate: float, share: float, seed: int, requests: int) -> bool:
    chance = random.Random(seed)  # noqa: S311 - a simulation
    test, comparison = RatioTest(), Comparison()
    for _ in range(requests // 50):
        sent = [chance.random() < share for _ in range(50)]
        green, blue = sent.count(True), sent.count(False)
        comparison = comparison.after(
            test,
            Counted(green, sum(chance.random() < green_rate for _ in range(green))),
            Counted(blue, sum(chance.random() < blue_rate for _ in range(blue))),
        )
        if comparison.is_enough(test):
            return True
    return False


@pytest.mark.parametrize("share", [0.1, 0.5, 0.75])
def test_it_finds_green_worse_than_blue_at_any_share(share: float) -> None:
    assert all(compared(0.05, 0.005, share, seed, 40_000) for seed in range(20))


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.75])
@pytest.mark.parametrize("rate", [0.0005, 0.02, 1.0])
def test_what_hits_both_alike_is_not_green_s_fault(rate: float, share: float) -> None:
    assert not any(compared(rate, rate, share, seed, 5_000) for seed in range(20))


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_an_outage_of_all_never_speaks_against_green(green: int, blue: int) -> None:
    assert RatioTest().evidence(Counted(green, green), Counted(blue, blue)) < 1e-9


def test_it_says_nothing_where_blue_carries_nothing() -> None:
    test = RatioTest()
    assert test.evidence(Counted(500, 500), Counted()) == 0
    assert test.evidence(Counted(), Counted(500, 500)) == 0


def test_counts_wait_until_both_are_known_and_there_are_enough() -> None:
    test = RatioTest()
    waiting = Comparison().after(test, Counted(5, 5), Counted(40, 0))
    assert waiting.score == 0
    alone = waiting.after(test, Counted(90, 10), Counted(), both=False)
    assert alone.score == 0
    both = alone.after(test, Counted(), Counted(800, 0))
    assert both.green == Counted(95, 15)
    assert both.blue == Counted(840, 0)
    assert both.is_enough(test)


def test_slow_requests_alone_need_five_blocks() -> None:
    test, comparison, blocks = LATENCY_TEST, Comparison(), 0
    while not comparison.is_enough(test):
        comparison = comparison.after(test, Counted(100, 100), Counted(900, 0))
        blocks += 1
    assert blocks == 5
