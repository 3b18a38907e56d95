"""Fewer points, and still every spike."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.thinning import Point, thinned
from tests.factories import at


def series(values: list[float | None]) -> list[Point]:
    return [(at(30 * index), value) for index, value in enumerate(values)]


def test_few_points_stay_as_they_are() -> None:
    points = series([1.0, None, 3.0])
    assert thinned(points, 3) == points
    assert thinned([], 3) == []


@pytest.mark.parametrize("count", [241, 360, 2880, 20160])
def test_many_become_at_most_as_many_as_asked_for_and_keep_their_order_and_extremes(count: int) -> None:
    values: list[float | None] = [float(index % 7) for index in range(count)]
    values[count // 2], values[count // 3] = 99.0, -5.0
    thin = thinned(series(values), 240)
    assert len(thin) <= 240
    assert [moment for moment, _ in thin] == sorted({moment for moment, _ in thin})
    assert {99.0, -5.0} <= {value for _, value in thin}
    assert thin[-1][0] - thin[0][0] > timedelta(seconds=30 * count * 0.95)


def test_where_most_checks_failed_there_is_no_value() -> None:
    values: list[float | None] = [1.0] * 200 + [None] * 200
    thin = [value for _, value in thinned(series(values), 40)]
    assert thin.count(None) == 10
    assert 1.0 in thin
