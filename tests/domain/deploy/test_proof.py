"""What counts as evidence that something was looked at."""

from __future__ import annotations

import pytest

from bot.domain.deploy.proof import found, pattern_of


@pytest.mark.parametrize(
    ("expression", "text", "evidence"),
    [
        (r"(\d+) passed", "..\n12 passed in 3s\n", "12"),
        (r"^(\d+) passed$", "a\n3 passed\nb", "3"),
        (r"passed", "3 passed", "passed"),
        (r"(\d+) passed", "none", None),
        (r"검사 (\d+)건", "검사 7건", "7"),
        (r"(x)?y", "y", ""),
    ],
)
def test_the_first_group_or_all_of_it(expression: str, text: str, evidence: str | None) -> None:
    assert found(expression, text) == evidence


@pytest.mark.parametrize("expression", ["(", r"(a)\1", "(?=a)", "a{100000}", "(((a{100}){100}){100})"])
def test_what_re2_does_not_take_is_none(expression: str) -> None:
    assert pattern_of(expression) is None


def test_no_expression_runs_away() -> None:
    assert (
        found(r"(a+)+$", "a" * 200_000 + "b") is None
    )  # others would need longer than the universe has been
