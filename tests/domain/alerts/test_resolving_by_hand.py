"""Resolving by hand what still fails is refused (alerts.md, Escalation ladder)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alerts.model import AddNote, Condition, EditCard, Note, Status
from bot.domain.alerts.paging import deadline_of
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import Nearby, Story, rule, subject


def firing(value: float = 75) -> Story:
    story = Story(around=Nearby())
    story.tell([(0, value), (15, value), (30, value)])
    return story


def test_while_the_last_check_was_bad_it_is_refused() -> None:
    story = firing()
    before = story.now
    assert story.resolve(40) == []
    assert (story.alert, story.reason) == (before, Reason.STILL_BAD)


def test_once_the_last_check_was_good_a_person_may_end_it() -> None:
    story = firing()
    story.value(45, 60)
    assert story.resolve(50, by="U9") == ["RESOLVED_BY_HAND"]
    assert (story.now.status, story.reason) == (Status.RESOLVED, Reason.RESOLVED_BY_HAND)
    assert story.now.seen_by == ("U9",)
    assert deadline_of(story.now) is None
    assert story.last is not None
    assert story.last.effects == (EditCard(), AddNote(Note.RESOLVED_BY_HAND, actor="U9"))


def test_within_the_exit_threshold_it_may_be_ended_too() -> None:
    story = firing()
    story.value(45, 68)  # below 70, but not five points
    assert story.resolve(50) == ["RESOLVED_BY_HAND"]


def test_the_end_of_a_critical_one_is_told_to_the_channel() -> None:
    story = firing(95)
    story.value(45, 10)
    story.resolve(50, by="U9")
    assert story.last is not None
    assert story.last.effects[-1] == AddNote(Note.RESOLVED_BY_HAND, broadcast=True, actor="U9")


def test_an_old_drawing_ends_nothing() -> None:
    story = firing()
    story.value(45, 60)
    before = story.now
    assert story.resolve(50, version=before.version - 1) == []
    assert (story.alert, story.reason) == (before, Reason.ACK_STALE)


def test_what_is_over_or_was_never_told_has_nothing_to_end() -> None:
    assert Story().resolve(0) == []
    story = Story()
    story.value(0, 75)
    assert story.resolve(1) == []
    assert (story.now.status, story.reason) == (Status.PENDING, Reason.NOT_OPEN)
    story = firing()
    story.tell([(45, 10), (60, 10)])
    before = story.now
    assert story.resolve(70) == []
    assert story.alert == before


def test_acknowledged_or_not_makes_no_difference() -> None:
    story = firing()
    story.ack(40)
    assert story.resolve(41) == []
    story.value(45, 60)
    assert story.resolve(50) == ["RESOLVED_BY_HAND"]


def test_what_fails_again_soon_comes_back() -> None:
    story = firing()
    story.value(45, 60)
    story.resolve(50)
    assert story.tell([(60, 75), (75, 75), (90, 75)]) == ["REOPENED"]


@pytest.mark.parametrize(("seconds", "ended"), [(3599, False), (3600, True)])
def test_a_report_that_nobody_repeats_is_a_person_s_to_end(seconds: float, ended: bool) -> None:
    story = Story(subject=subject(Condition.REPORTED))
    story.report(0, Level.ERROR)
    assert (story.resolve(seconds) == ["RESOLVED_BY_HAND"]) is ended
    assert ended or story.reason is Reason.STILL_BAD


def test_how_old_a_report_must_be_is_the_rule_s() -> None:
    short = replace(rule(), report_stale_after=timedelta(minutes=10))
    story = Story(short, subject(Condition.REPORTED))
    story.report(0, Level.ERROR)
    story.report(400, Level.ERROR)
    assert story.resolve(900) == []
    assert story.resolve(1000) == ["RESOLVED_BY_HAND"]


@pytest.mark.parametrize("condition", [Condition.NO_DATA, Condition.HEARTBEAT])
def test_no_data_and_a_silent_job_are_never_over_by_hand(condition: Condition) -> None:
    story = Story(subject=subject(condition))
    if condition is Condition.NO_DATA:
        story.tell([(15 * n, None) for n in range(3)])
    else:
        story.report(30, Level.ERROR)
    assert story.resolve(24 * 3600) == []
    assert story.reason is Reason.STILL_BAD
