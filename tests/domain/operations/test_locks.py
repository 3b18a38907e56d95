"""Locks: until when they hold, whom they are in the way of, who may lift them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.operations.locks import DEFAULT_LENGTH, LONGEST, Lock, in_the_way, may_lift
from bot.domain.operations.roles import Role, Roles
from tests.factories import T0

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
PERSONS = Lock("host:web-1", 3, "U0ANN", T0, None, "moving", T0 + HOUR)
RUNS = Lock("production", 4, "U0ANN", T0, run=7)
ROLES = Roles({Role.OPERATOR: frozenset({"U0ANN", "U0EVE"}), Role.APPROVER: frozenset({"U0BOB"})}, True)


@pytest.mark.parametrize(
    ("lock", "after", "holds"),
    [
        (PERSONS, timedelta(0), True),
        (PERSONS, HOUR - TICK, True),
        (PERSONS, HOUR, False),
        (RUNS, timedelta(days=1000), True),  # it goes with the run
    ],
)
def test_until_when_it_holds(lock: Lock, after: timedelta, holds: bool) -> None:
    assert lock.holds(T0 + after) is holds


@pytest.mark.parametrize(
    ("subject", "after", "expected"),
    [
        ("host:web-1", timedelta(0), PERSONS),
        ("host:web-1", HOUR, None),
        ("production", HOUR, RUNS),
        ("host:web-10", timedelta(0), None),
        ("host:*", timedelta(0), None),  # a subject is no pattern
        ("Production", timedelta(0), None),
    ],
)
def test_whom_it_is_in_the_way_of(subject: str, after: timedelta, expected: Lock | None) -> None:
    assert in_the_way([PERSONS, RUNS], [subject], T0 + after) is expected


def test_one_that_is_over_hides_none_that_holds() -> None:
    holds = Lock("host:web-1", 4, "U0BOB", T0 + HOUR, None, "mine", T0 + 2 * HOUR)
    assert in_the_way([PERSONS, holds], ["host:web-1"], T0 + HOUR) is holds


@pytest.mark.parametrize(
    ("lock", "by", "may"),
    [
        (PERSONS, "U0ANN", True),
        (PERSONS, "U0EVE", False),
        (PERSONS, "U0BOB", True),
        (PERSONS, "U0WHO", False),
        (RUNS, "U0ANN", False),
        (RUNS, "U0BOB", False),
    ],
)
def test_who_may_lift_it(lock: Lock, by: str, may: bool) -> None:
    assert may_lift(lock, by, ROLES) is may


def test_a_lock_of_which_nobody_said_how_long_holds_an_hour() -> None:
    assert DEFAULT_LENGTH == HOUR < LONGEST
