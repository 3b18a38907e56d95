"""Context and forecast: each forecast is scored against what happened (alerts.md)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.domain.alerts.scoring import Foretold, Outcome, Score, score
from tests.factories import T0

FORETOLD = Foretold(1, "disk_usage", "/", True, 95.0, T0, T0 + timedelta(hours=2))


def minute(number: float) -> datetime:
    return T0 + timedelta(minutes=number)


def readings(reached: float, until: float) -> list[tuple[datetime, float]]:
    return [(minute(number), 95.0 if number >= reached else 90.0) for number in range(0, int(until) + 1)]


@pytest.mark.parametrize(
    ("reached", "now", "outcome", "error"),
    [
        (120, 121, Outcome.HIT, 0),
        (144, 145, Outcome.HIT, 24),
        (145, 146, Outcome.LATE, 25),
        (96, 121, Outcome.HIT, -24),
        (95, 121, Outcome.EARLY, -25),
        (999, 239, None, None),
        (999, 240, Outcome.MISS, None),
    ],
)
def test_it_is_scored_by_when_the_bound_was_reached(
    reached: float, now: float, outcome: Outcome | None, error: float | None
) -> None:
    found = score(FORETOLD, readings(reached, now), minute(now))
    if outcome is None:
        assert found is None, "it may still come true"
    elif error is None:
        assert found == Score(Outcome.MISS)
    else:
        assert found == Score(outcome, minute(reached), timedelta(minutes=error))


def test_a_spike_is_not_reaching() -> None:
    spiked = [(minute(number), 99.0 if number == 60 else 90.0) for number in range(241)]
    assert score(FORETOLD, spiked, minute(240)) == Score(Outcome.MISS)


def test_where_low_is_bad_it_is_reached_from_above() -> None:
    falling = Foretold(1, "uptime", "x", False, 99.5, T0, minute(120))
    values = [(minute(number), 99.9 - number * 0.004) for number in range(130)]
    found = score(falling, values, minute(130))
    assert found is not None
    assert (found.outcome, found.actual_at) == (Outcome.HIT, minute(100))


def test_what_was_not_measured_cannot_be_told() -> None:
    assert score(FORETOLD, [], minute(239)) is None
    assert score(FORETOLD, [], minute(240)) == Score(None)
    assert score(FORETOLD, readings(999, 60), minute(240)) == Score(None)


def test_a_short_forecast_has_ten_minutes_and_waits_half_an_hour() -> None:
    short = Foretold(1, "disk_usage", "/", True, 95.0, T0, minute(5))
    found = score(short, readings(14, 20), minute(20))
    assert found is not None
    assert found.outcome is Outcome.HIT
    assert score(short, readings(999, 34), minute(34)) is None
    assert score(short, readings(999, 35), minute(35)) == Score(Outcome.MISS)
