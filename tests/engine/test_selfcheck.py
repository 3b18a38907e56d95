"""The Guardian's look at itself."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta

import pytest

from bot.engine.selfcheck import Limits, LoopLag, Measures, SelfCheck, Trouble, first_problem, troubles
from tests.factories import T0, at


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        (Measures(), []),
        (Measures(next_step_at=at(-60)), []),
        (Measures(next_step_at=at(-61)), [Trouble.LADDER_LATE]),
        (Measures(next_step_at=at(3600)), []),
        (Measures(oldest_unsent=at(-300)), []),
        (Measures(oldest_unsent=at(-301)), [Trouble.LETTERS_STUCK]),
        (Measures(lag=timedelta(seconds=5)), []),
        (Measures(lag=timedelta(seconds=6)), [Trouble.LOOP_LAG]),
        (Measures(at(-99), at(-999), timedelta(seconds=9)), list(Trouble)),
    ],
)
def test_what_is_trouble(measures: Measures, expected: list[Trouble]) -> None:
    assert [found.trouble for found in troubles(measures, Limits(), T0)] == expected


def test_each_trouble_is_told_once_and_once_when_it_is_over() -> None:
    said: list[tuple[str, str, float, datetime]] = []
    now = Measures()
    check = SelfCheck(
        lambda: now,
        lambda trouble, seconds, since: said.append(("found", trouble, seconds, since)),
        lambda trouble, seconds, since: said.append(("over", trouble, seconds, since)),
    )
    assert check.problem(at(0)) is None
    now = Measures(next_step_at=at(0))
    assert [check.problem(at(second)) for second in (59, 61, 75, 90)] == [None, *["ladder_late"] * 3]
    now = Measures()
    assert check.problem(at(91)) is None
    assert check.problem(at(92)) is None
    assert said == [("found", "ladder_late", 61.0, at(61)), ("over", "ladder_late", 90.0, at(61))]


def test_all_checks_look_even_when_the_first_finds_something() -> None:
    seen: list[int] = []

    def check(number: int, problem: str | None) -> str | None:
        seen.append(number)
        return problem

    checks = [lambda now: check(1, "one"), lambda now: check(2, "two")]
    assert first_problem(checks, T0) == "one"
    assert seen == [1, 2]
    assert first_problem([], T0) is None


async def test_a_loop_that_is_held_up_is_measured() -> None:
    lag = LoopLag(every=0.01)
    measuring = asyncio.create_task(lag.run())
    await asyncio.sleep(0.05)
    time.sleep(0.3)  # noqa: ASYNC251 - holding the loop up is what is tried
    await asyncio.sleep(0.05)
    measuring.cancel()
    assert lag.worst() > timedelta(seconds=0.2)
