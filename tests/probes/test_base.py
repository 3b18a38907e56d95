from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from probes.base import Problem, ProblemKind, Reading, Unit, measured, printable_text, unmeasured

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_zero_is_a_value() -> None:
    assert measured("cpu_usage", "web-1", 0.0, Unit.PERCENT, AT).value == 0.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -0.1, 100.1])
def test_a_percentage_that_cannot_be_is_nonsense(value: float) -> None:
    reading = measured("cpu_usage", "web-1", value, Unit.PERCENT, AT)
    assert reading.value is None
    assert reading.problem is not None
    assert reading.problem.kind is ProblemKind.NONSENSE


@pytest.mark.parametrize(
    ("text", "printable"),
    [
        ("/mnt/사진", "/mnt/사진"),
        ("/mnt/🙂", "/mnt/🙂"),
        (os.fsdecode(b"/mnt/\xffphotos"), "/mnt/\ufffdphotos"),
        ("half \ud83d a pair", "half \ufffd a pair"),
        ("nul\0", "nul\ufffd"),
    ],
)
def test_a_reading_has_only_text_that_can_be_written(text: str, printable: str) -> None:
    assert printable_text(text) == printable
    good = measured("disk_usage", text, 1.0, Unit.PERCENT, AT, {"device": text})
    assert (good.target, good.facts) == (printable, {"device": printable})
    blind = unmeasured("disk_usage", text, Unit.PERCENT, AT, ProblemKind.FAILED, text)
    assert blind.problem is not None
    assert (blind.target, blind.problem.detail) == (printable, printable)


def test_limits_can_be_moved() -> None:
    assert measured("growth", "shop", -20.0, Unit.PERCENT, AT, low=-100.0, high=1000.0).value == -20.0
    assert measured("growth", "shop", 250.0, Unit.PERCENT, AT, low=-100.0, high=1000.0).value == 250.0
    assert measured("response_time", "shop", 90_000.0, Unit.MILLISECONDS, AT).value == 90_000.0


def test_a_reading_has_a_value_or_a_problem() -> None:
    with pytest.raises(ValueError, match="either a value or a problem"):
        Reading("cpu_usage", "web-1", None, Unit.PERCENT, AT)
    with pytest.raises(ValueError, match="either a value or a problem"):
        Reading("cpu_usage", "web-1", 1.0, Unit.PERCENT, AT, Problem(ProblemKind.FAILED))
