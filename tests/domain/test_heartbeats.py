"""Jobs that must report: when one is late, as stories of (minute, what it says)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.heartbeats import Beat, Heartbeat, Job, JobState, first, heard, reconfigured, state_of
from tests.factories import T0

HOURLY = Job("backup", every=timedelta(hours=1), grace=timedelta(minutes=10))


def after(minutes: float, *said: tuple[float, Beat]) -> JobState:
    """How a job that was configured at minute 0 stands then, after it said this."""
    known = first(HOURLY, T0)
    for minute, beat in said:
        known = heard(HOURLY, known, beat, T0 + timedelta(minutes=minute))
    return state_of(known, T0 + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("minutes", "said", "state"),
    [
        (69, [], JobState.NEW),
        (70, [], JobState.NEW),
        (70.1, [], JobState.LATE),
        (75, [(5, Beat.OK)], JobState.FINE),
        (75.1, [(5, Beat.OK)], JobState.LATE),
        (76, [(5, Beat.OK), (75.5, Beat.OK)], JobState.FINE),
        (6, [(5, Beat.FAIL)], JobState.FAILED),
        (7, [(5, Beat.FAIL), (6, Beat.START)], JobState.FAILED),
        (8, [(5, Beat.FAIL), (6, Beat.START), (7, Beat.OK)], JobState.FINE),
        (90, [(5, Beat.FAIL)], JobState.LATE),
        (14, [(5, Beat.START)], JobState.RUNNING),
        (15.1, [(5, Beat.START)], JobState.LATE),
        (15.1, [(5, Beat.START), (14, Beat.START)], JobState.LATE),
        (15.1, [(5, Beat.START), (14, Beat.OK)], JobState.FINE),
    ],
)
def test_when_a_job_is_late(minutes: float, said: list[tuple[float, Beat]], state: JobState) -> None:
    assert after(minutes, *said) is state


def test_another_interval_moves_the_deadline() -> None:
    known = heard(HOURLY, first(HOURLY, T0), Beat.OK, T0)
    daily = replace(HOURLY, every=timedelta(days=1))
    assert reconfigured(daily, known).due_at == T0 + timedelta(days=1, minutes=10)


def test_only_late_and_failed_are_bad() -> None:
    assert [state for state in JobState if state.is_bad] == [JobState.LATE, JobState.FAILED]
    assert Heartbeat("a", T0, T0).told is None
