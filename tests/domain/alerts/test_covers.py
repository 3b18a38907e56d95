"""Silences, maintenance windows and inhibitions (alerts.md, State and Silence): nobody is told, and the truth
goes on underneath."""

from dataclasses import replace

import pytest

from bot.domain.alerts.cards import Telling, letters_for
from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.alerts.facts import alert_facts
from bot.domain.alerts.model import AddNote, EditCard, Note, PostCard, Status
from bot.domain.alerts.paging import deadline_of
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import FIVE, VALUE_AT, Nearby, Story, at, rule, silence

MINUTE = 60
HOUR = 60 * MINUTE
COVERS = [
    silence(HOUR),
    Cover(CoverKind.MAINTENANCE, "nightly", at(HOUR), None, "backup"),
    Cover(CoverKind.INHIBITED, "12", None, None, "db down"),
]
BAD, WORSE, GOOD = VALUE_AT[Level.ERROR], VALUE_AT[Level.CRITICAL], 10.0
kinds = pytest.mark.parametrize("cover", COVERS, ids=[cover.kind.value for cover in COVERS])


def story_of(cover: Cover | None = None) -> tuple[Story, Nearby]:
    near = Nearby(lies=cover)
    return Story(replace(rule(FIVE), confirm=1, confirm_critical=1), around=near), near


@kinds
def test_what_opens_under_a_cover_is_open_and_nobody_is_told(cover: Cover) -> None:
    story, _ = story_of(cover)
    assert story.value(0, BAD) == []
    alert = story.now
    assert (alert.status, alert.level, alert.version) == (Status.FIRING, Level.ERROR, 1)
    assert (alert.carded, alert.cover, story.reason) == (
        False,
        replace(cover, level=Level.ERROR),
        Reason.COVERED,
    )
    for second in range(15, HOUR - 1, 15):
        assert story.value(second, BAD) == []
        assert story.due(second) == []
    assert (story.called, story.now.repeats) == ([], 239)


@kinds
def test_a_card_that_is_out_says_once_that_it_is_covered(cover: Cover) -> None:
    story, near = story_of()
    assert story.value(0, BAD) == ["OPENED"]
    near.lies = cover
    assert story.due(MINUTE) == ["COVERED"]
    assert story.last is not None
    assert story.last.effects == (EditCard(), AddNote(Note.COVERED))
    assert story.reason is Reason.COVERED
    assert story.due(MINUTE + 1) == []
    story.passes(HOUR - 1)
    assert story.called == []


@kinds
def test_the_truth_goes_on_underneath(cover: Cover) -> None:
    story, _ = story_of(replace(cover, kind=CoverKind.MAINTENANCE))
    story.tell([(0, BAD), (15, WORSE)])
    assert (story.now.level, story.now.peak_level, story.now.version) == (Level.CRITICAL, Level.CRITICAL, 2)
    story.tell([(30, 72), (45, 72)])
    assert (story.now.level, story.now.version) == (Level.ERROR, 3)
    story.tell([(60, GOOD), (75, GOOD)])
    assert (story.now.status, story.now.version) == (Status.RESOLVED, 4)
    story.value(90, BAD)
    assert (story.now.status, story.now.reopened) == (Status.FIRING, 1)
    assert not story.now.carded


@kinds
def test_what_was_told_is_kept_true_without_anybody_being_called(cover: Cover) -> None:
    story, near = story_of()
    story.value(0, WORSE)
    near.lies = cover
    story.due(1)
    assert story.tell([(15, 72), (30, 72)]) == ["LEVEL_DOWN"]
    assert story.tell([(45, GOOD), (60, GOOD)]) == ["RESOLVED"]
    assert story.last is not None
    assert story.last.effects == (EditCard(), AddNote(Note.RESOLVED, broadcast=False))
    assert story.value(75, WORSE) == ["REOPENED"]
    assert story.last.effects == (EditCard(), AddNote(Note.REOPENED, broadcast=False))
    assert story.called == []


@kinds
def test_what_was_never_told_is_not_told_when_it_ends(cover: Cover) -> None:
    story, _ = story_of(cover)
    assert story.tell([(0, BAD), (15, GOOD), (30, GOOD)]) == []
    assert (story.now.status, story.reason, story.now.cover) == (Status.RESOLVED, Reason.CLEARED, None)


@kinds
def test_at_its_end_one_post_says_that_it_still_fails(cover: Cover) -> None:
    story, near = story_of()
    story.value(0, BAD)
    near.lies = cover
    story.due(15)
    near.lies = None
    assert story.due(HOUR) == ["UNCOVERED"]
    assert (story.reason, story.now.cover) == (Reason.UNCOVERED, None)
    assert story.due(HOUR + 1) == []


@kinds
def test_at_its_end_what_has_no_card_gets_one(cover: Cover) -> None:
    story, near = story_of(cover)
    story.value(0, BAD)
    near.lies = None
    assert story.due(HOUR) == ["UNCOVERED"]
    assert story.last is not None
    assert story.last.effects == (PostCard(), AddNote(Note.UNCOVERED))
    assert story.now.carded
    assert story.value(HOUR + 301, BAD) == ["EDITED"]


@kinds
def test_at_its_end_nothing_is_said_of_what_is_over(cover: Cover) -> None:
    story, near = story_of(cover)
    story.tell([(0, BAD), (15, GOOD), (30, GOOD)])
    near.lies = None
    assert story.due(HOUR) == []
    assert story.value(HOUR + 1, GOOD) == []


def test_the_end_of_a_critical_one_s_cover_is_told_to_the_channel_once() -> None:
    story, near = story_of()
    story.value(0, WORSE)
    near.lies = COVERS[1]
    story.due(15)
    near.lies = None
    assert story.value(30, VALUE_AT[Level.EMERGENCY]) == ["UNCOVERED", "LEVEL_UP"]
    assert story.last is not None
    loud = [each.note for each in story.last.effects if isinstance(each, AddNote) and each.broadcast]
    assert loud == [Note.UNCOVERED]


@kinds
def test_its_end_begins_the_ladder_anew(cover: Cover) -> None:
    story, near = story_of(cover)
    story.value(0, BAD)
    near.lies = None
    story.due(HOUR)
    story.passes(HOUR + 20 * MINUTE)
    assert story.called == [(65, ("UFIRST",)), (80, ("USECOND",))]


def test_an_emergency_is_called_for_at_once_when_its_cover_ends() -> None:
    story, near = story_of(COVERS[1])
    story.value(0, VALUE_AT[Level.EMERGENCY])
    assert story.called == []
    near.lies = None
    story.due(HOUR)
    assert story.called == [(60, ("UFIRST", "USECOND"))]


def test_its_end_is_a_deadline_of_its_own() -> None:
    story, near = story_of(silence(HOUR))
    story.value(0, BAD)
    assert deadline_of(story.now) == at(HOUR)
    near.lies = silence(2 * HOUR)
    story.due(15)
    assert deadline_of(story.now) == at(2 * HOUR)
    near.lies = COVERS[2]
    story.due(30)
    assert deadline_of(story.now) is None


def test_what_has_reached_its_end_covers_nothing() -> None:
    story, _ = story_of(silence(HOUR))
    story.value(0, BAD)
    assert story.due(HOUR - 1) == []
    assert story.due(HOUR) == ["UNCOVERED"]  # though whoever is asked still names it


def test_a_reason_that_takes_another_s_place_is_said() -> None:
    story, near = story_of()
    story.value(0, BAD)
    near.lies = COVERS[1]
    story.due(1)
    near.lies = COVERS[2]
    assert story.due(2) == ["COVERED"]
    assert story.now.cover == replace(COVERS[2], level=Level.ERROR)


def test_what_opened_unseen_and_comes_back_uncovered_gets_its_card() -> None:
    story, near = story_of(silence(HOUR))
    assert story.tell([(0, BAD), (15, GOOD), (30, GOOD)]) == []
    near.lies = None
    assert story.value(45, BAD) == ["REOPENED"]
    assert story.last is not None
    assert story.last.effects == (PostCard(), AddNote(Note.REOPENED))
    assert story.now.carded


def test_an_acknowledgement_runs_out_under_a_cover_without_a_word() -> None:
    story, near = story_of()
    story.value(0, WORSE)
    story.ack(1, by="U9")
    near.lies = silence(2 * HOUR)
    story.due(2)
    assert story.passes(2 * HOUR - 1) == []
    assert story.due(HOUR) == []
    assert (story.now.status, deadline_of(story.now)) == (Status.ACKED, at(2 * HOUR))
    near.lies = None
    assert story.due(2 * HOUR) == ["ACK_EXPIRED", "UNCOVERED"]
    assert story.called == [(120, ("U9", "UFIRST"))]


def test_an_acknowledgement_that_holds_outlives_a_cover() -> None:
    story, near = story_of()
    story.value(0, BAD)
    story.ack(1)
    near.lies = silence(HOUR)
    story.due(2)
    near.lies = None
    assert story.due(HOUR) == ["UNCOVERED"]
    assert (story.now.status, story.called) == (Status.ACKED, [])


def test_the_card_comes_before_what_is_said_of_an_acknowledgement_that_ran_out_unseen() -> None:
    story, near = story_of(silence(2 * HOUR))
    story.value(0, WORSE)
    assert story.ack(1, by="U9") == []
    assert story.now.status is Status.ACKED
    near.lies = None
    story.due(2 * HOUR)
    assert story.last is not None
    assert story.last.effects[0] == PostCard()
    assert EditCard() not in story.last.effects


def test_a_covered_alert_can_be_ended_by_hand_without_a_word() -> None:
    story, _ = story_of(silence(HOUR))
    story.tell([(0, BAD), (15, GOOD)])
    assert story.resolve(20) == []
    assert story.now.status is Status.RESOLVED


def test_the_card_says_what_covers_it() -> None:
    story, near = story_of()
    story.value(0, BAD)
    near.lies = silence(HOUR)
    story.due(1)
    told = alert_facts(story.now, None, near).cover
    assert told is not None
    assert (told.kind, told.by, told.until) == ("silence", "U7", at(HOUR).isoformat())


def test_a_covered_alert_without_a_card_sends_no_letter() -> None:
    story, _ = story_of(silence(HOUR))
    for second, value in enumerate([BAD, 52, 52, BAD, GOOD, GOOD, BAD]):
        story.value(second, value)
        assert story.last is not None
        assert letters_for(story.last, Telling("alerts", at(9), at(8)), range(99)) == ()
