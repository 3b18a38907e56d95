"""A failed run is no state (alerts.md, State): another one is told at once, and calls nobody anew."""

from __future__ import annotations

import pytest

from bot.domain.alerts.model import AddNote, Condition, EditCard, Note, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import Nearby, Story, rule, subject

MINUTE = 60


@pytest.fixture
def story() -> Story:
    """Nothing has failed yet."""
    return Story(rule(None), subject(Condition.FAILED_RUN), around=Nearby())


def test_one_that_fails_opens_it_and_the_next_that_ends_well_resolves_it(story: Story) -> None:
    assert story.failed(0, 3) == ["OPENED"]
    assert story.went_well(10, 4) == ["RESOLVED"]
    assert (story.now.title, story.reason) == ("v4 done", Reason.REPORT_OVER)


def test_one_that_ends_well_is_nothing_where_none_has_failed(story: Story) -> None:
    assert story.went_well(0, 1) == []
    assert story.alert is None
    story.failed(10, 2)
    story.went_well(20, 3)
    before = story.now
    assert story.went_well(30, 4) == []
    assert story.alert == before


def test_another_one_is_told_at_once_and_calls_nobody_anew(story: Story) -> None:
    story.failed(0, 3)
    assert story.ack(5) == ["ACKED"]
    drawn = story.now.version
    assert story.failed(10, 4) == ["AGAIN"]
    assert (story.now.title, story.now.facts["operation"], story.now.repeats) == ("v4 failed", "#4", 1)
    assert (story.now.status, story.called) == (Status.ACKED, [])
    assert story.resolve(15, version=drawn) == []  # drawn before the other one failed
    assert story.reason is Reason.ACK_STALE


@pytest.mark.parametrize(
    ("level", "acked", "loud"),
    [
        (Level.ERROR, False, False),
        (Level.CRITICAL, False, True),
        (Level.CRITICAL, True, False),
    ],
)
def test_it_is_told_in_the_channel_where_it_is_critical_and_nobody_has_it(
    story: Story, level: Level, acked: bool, loud: bool
) -> None:
    story.failed(0, 3, Level.CRITICAL)
    if acked:
        story.ack(5)
    story.failed(10, 4, level)
    assert story.last is not None
    assert story.last.effects == (EditCard(), AddNote(Note.AGAIN, broadcast=loud))
    assert story.reason is Reason.FAILED_AGAIN


@pytest.mark.parametrize("later", [1, 6 * MINUTE, 14 * MINUTE])
def test_the_same_run_is_told_once_however_often_and_late_it_is_reported(story: Story, later: int) -> None:
    story.failed(0, 3)
    story.due(later)
    before = story.now
    assert story.failed(later, 3) == []
    assert (story.alert, story.reason) == (before, Reason.DUPLICATE)
    story.resolve(later)
    assert story.failed(later + 1, 3) == []
    assert story.now.status is Status.RESOLVED


def test_it_is_as_bad_as_the_worst_of_them_until_it_is_over(story: Story) -> None:
    story.failed(0, 3)
    assert story.failed(10, 4, Level.CRITICAL) == ["LEVEL_UP"]
    assert story.failed(20, 5) == ["AGAIN"]
    assert (story.now.level, story.now.title) == (Level.CRITICAL, "v5 failed")
    story.went_well(30, 6)
    assert story.failed(40, 7) == ["REOPENED"]
    assert story.now.level is Level.ERROR


def test_whoever_has_looked_may_call_it_resolved_at_once(story: Story) -> None:
    story.failed(0, 3)
    assert story.resolve(1) == ["RESOLVED_BY_HAND"]


def test_it_never_flaps(story: Story) -> None:
    words: list[str] = []
    for minute in range(0, 20, 2):
        words += story.failed(minute * MINUTE, minute)
        words += story.resolve((minute + 1) * MINUTE)
    assert words == ["OPENED", *["RESOLVED_BY_HAND", "REOPENED"] * 9, "RESOLVED_BY_HAND"]


def test_a_quarter_of_an_hour_later_it_is_a_new_alert(story: Story) -> None:
    story.failed(0, 3)
    story.went_well(10, 4)
    assert story.failed(11 + 15 * MINUTE, 5) == ["OPENED"]
