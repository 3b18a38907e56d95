"""Exact bounds: beside plain sums of exact fractions, and the figures that operations.md has."""

from __future__ import annotations

from fractions import Fraction
from math import comb, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.certainty import (
    certifying,
    chance_of_at_least,
    chance_of_at_most,
    is_above,
    is_below,
    needed,
    upper_bound,
)
from bot.domain.deploy.measures import Counted


@given(requests=st.integers(1, 300), data=st.data())
def test_a_tail_is_the_sum_of_its_terms(requests: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, requests))
    rate = data.draw(st.fractions(Fraction(1, 10_000), Fraction(9_999, 10_000), max_denominator=10_000))
    exact = [
        comb(requests, each) * rate**each * (1 - rate) ** (requests - each) for each in range(requests + 1)
    ]
    at_most, at_least = float(sum(exact[: errors + 1])), float(sum(exact[errors:]))
    assert chance_of_at_most(errors, requests, float(rate)) == pytest.approx(at_most, rel=1e-7, abs=1e-9)
    assert chance_of_at_least(errors, requests, float(rate)) == pytest.approx(at_least, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("errors", "requests"), [(0, 2995), (1, 4742), (2, 6294), (5, 10511)])
def test_so_many_requests_certify(errors: int, requests: int) -> None:
    """As 0.001 and 0.05 have it, and one request fewer does not do."""
    assert certifying(errors, 0.1) == requests
    assert is_below(Counted(requests, errors), 0.1)
    assert not is_below(Counted(requests - 1, errors), 0.1)


def test_the_number_without_an_error_is_what_the_logarithm_says() -> None:
    assert 2994 < log(0.05) / log(0.999) < 2995


@pytest.mark.parametrize(
    ("counted", "more"),
    [
        (Counted(), 2995),
        (Counted(2000, 0), 995),
        (Counted(2994, 0), 1),
        (Counted(2995, 0), None),
        (Counted(3000, 1), 1742),
        (Counted(5000, 1), None),
    ],
)
def test_it_tells_how_many_more_are_needed(counted: Counted, more: int | None) -> None:
    assert needed(counted, 0.1) == more


@given(st.integers(0, 3_000_000), st.integers(0, 3_000))
def test_so_many_more_without_an_error_are_enough_and_one_fewer_is_not(requests: int, errors: int) -> None:
    counted = Counted.of(requests, errors)
    more = needed(counted, 0.1)
    if more is None:
        assert is_below(counted, 0.1)
    else:
        assert is_below(Counted(counted.requests + more, counted.errors), 0.1)
        assert not is_below(Counted(counted.requests + more - 1, counted.errors), 0.1)


def test_no_requests_certify_nothing() -> None:
    assert upper_bound(Counted()) == 100
    assert not is_below(Counted(), 99)
    assert not is_above(Counted(), 0.1)


@pytest.mark.parametrize(
    ("counted", "bound"),
    # Clopper-Pearson, one-sided 95 %: 1 - 0.05**(1/n) for no error, beta quantiles for some.
    [
        (Counted(2995, 0), 100 * (1 - 0.05 ** (1 / 2995))),
        (Counted(59, 0), 100 * (1 - 0.05 ** (1 / 59))),
        (Counted(10, 1), 39.4163),
        (Counted(100, 5), 10.2253),
        (Counted(7, 7), 100.0),
    ],
)
def test_the_upper_bound_is_the_one_of_the_tables(counted: Counted, bound: float) -> None:
    assert upper_bound(counted) == pytest.approx(bound, abs=1e-4)


@given(st.integers(1, 10**7), st.data())
def test_below_and_above_are_never_both_and_agree_with_the_bound(requests: int, data: st.DataObject) -> None:
    counted = Counted(requests, data.draw(st.integers(0, min(requests, 20_000))))
    assert not (is_below(counted, 0.1) and is_above(counted, 0.1))
    bound = upper_bound(counted)
    assert bound >= (counted.rate or 0)
    if abs(bound - 0.1) > 1e-6:
        assert is_below(counted, 0.1) == (bound < 0.1)


def test_an_outage_over_millions_of_requests_is_no_longer_to_work_out() -> None:
    """Every second; with a sum over the errors this would not end."""
    assert needed(Counted(10**8, 10**8), 0.1) is not None
    assert is_above(Counted(10**8, 10**8), 0.1)
