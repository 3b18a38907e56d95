from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probes.base import Problem, ProblemKind, Reading, Unit, measured

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_zero_is_a_value() -> None:
    assert measured("cpu_usage", "web-1", 0.0, Unit.PERCENT, AT).value == 0.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -0.1, 100.1])
def test_a_percentage_that_cannot_be_is_nonsense(value: float) -> None:
    reading = measured("cpu_usage", "web-1", value, Unit.PERCENT, AT)
    assert reading.value is None
    assert reading.problem is not None
    assert reading.problem.kind is ProblemKind.NONSENSE


def test_limits_can_be_moved() -> None:
    assert measured("growth", "shop", -20.0, Unit.PERCENT, AT, low=-100.0, high=1000.0).value == -20.0
    assert measured("growth", "shop", 250.0, Unit.PERCENT, AT, low=-100.0, high=1000.0).value == 250.0
    assert measured("response_time", "shop", 90_000.0, Unit.MILLISECONDS, AT).value == 90_000.0


def test_a_reading_has_a_value_or_a_problem() -> None:
    with pytest.raises(ValueError, match="either a value or a problem"):
        Reading("cpu_usage", "web-1", None, Unit.PERCENT, AT)
    with pytest.raises(ValueError, match="either a value or a problem"):
        Reading("cpu_usage", "web-1", 1.0, Unit.PERCENT, AT, Problem(ProblemKind.FAILED))
