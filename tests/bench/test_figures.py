"""The table: ratios, aims, and what is not known."""

from __future__ import annotations

import math

import pytest

from bench.figures import PEER, Figure, middle, percentile, table


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (1, 1.0), (50, 50.0), (50.5, 51.0), (99, 99.0), (100, 100.0)]
)
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], percent) == expected


def test_nothing_measured_is_an_error_and_not_zero() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)
    with pytest.raises(ValueError, match="no values"):
        middle([])


@pytest.mark.parametrize(("guardian", "met"), [(2.9, True), (3.0, True), (3.1, False)])
def test_an_aim_in_times_the_floor(guardian: float, met: bool) -> None:
    assert Figure("ack", "ms", 2.0, guardian, at_most_ratio=1.5).met is met


@pytest.mark.parametrize(("guardian", "met"), [(99.9, True), (100.0, False)])
def test_an_aim_of_its_own(guardian: float, met: bool) -> None:
    assert Figure("memory", "MB", 43.0, guardian, at_most=100).met is met


@pytest.mark.parametrize(("guardian", "met"), [(99_999.0, False), (100_000.0, True), (2e5, True)])
def test_an_aim_that_more_is_better_for(guardian: float, met: bool) -> None:
    figure = Figure("judged", "1/s", 1e7, guardian, at_least=100_000)
    assert figure.met is met
    assert figure.aim == "≥ 100,000 1/s"


def test_the_table_has_a_column_for_the_peer_only_if_it_took_part() -> None:
    alone = Figure("stored", "s", 0.1, 0.5)
    assert PEER not in table([alone])
    figures = [alone, Figure("told", "s", 0.2, 1.0, peer=1.5), Figure("slow", "s", 3.0, 9.0, peer=math.inf)]
    lines = table(figures).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cells[0][2:5] == ["floor", PEER, "Guardian"]
    assert [row[3] for row in cells[2:]] == ["", "1.50", "never"]
    assert [figure.as_json()["peer"] for figure in figures] == [None, 1.5, "never"]


def test_without_a_floor_there_is_no_ratio() -> None:
    figure = Figure("CPU", "% core", 0.0, 0.3, at_most=1)
    assert math.isnan(figure.ratio)
    assert figure.as_json()["ratio"] is None
    assert figure.met


def test_the_table_says_what_is_missed() -> None:
    lines = table(
        [
            Figure("one", "ms", 1.0, 2.0, at_most_ratio=1.5),
            Figure("둘", "s", 1.0, 1.0, at_most_ratio=1.2),
            Figure("three", "MB", 1.0, 1.0),
        ]
    ).splitlines()
    assert lines[0].split() == "| what | unit | floor | Guardian | ratio | aim | met |".split()
    assert [line.split("|")[-2].strip() for line in lines[2:]] == ["NO", "yes", ""]
