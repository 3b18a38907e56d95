"""From a decision to letters: which, in what order, with what priority."""

import itertools
import json

import pytest

from bot.domain.alerts.cards import alert_facts, letters_for, stream_of
from bot.domain.alerts.lifecycle import step
from bot.domain.alerts.model import Acknowledged, Decision, Measured, Rule, Unwatched
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import Letter, LetterKind, Priority
from bot.domain.levels import Level
from tests.factories import FIVE, Story, alert, at, rule


def letters(decision: Decision) -> tuple[Letter, ...]:
    return letters_for(decision, "guardian-alerts", at(9), at(8), itertools.count(40))


def opened(value: float) -> Story:
    story = Story(rule(FIVE))
    for number in range(3):
        if "OPENED" in story.value(number, value):
            break
    return story


def decision(story: Story) -> Decision:
    assert story.last is not None
    return story.last


def test_an_opened_alert_is_a_card_and_a_note_on_one_stream() -> None:
    story = opened(75)
    card, note = letters(decision(story))
    assert (card.kind, card.template) == (LetterKind.CARD, "alert")
    assert (note.kind, note.template, note.broadcast) == (LetterKind.NOTE, "alert_note", False)
    assert (card.id, note.id) == (40, 41)
    assert card.stream == note.stream == stream_of(story.now)
    assert (card.created_at, card.since, card.channel) == (at(9), at(8), "guardian-alerts")
    assert card.facts == alert_facts(story.now).as_json()
    assert note.facts["alert"] == card.facts
    assert note.facts["note"] == "opened"


@pytest.mark.parametrize(
    ("value", "priority"),
    [
        (55, Priority.INFO),
        (65, Priority.ALERT),
        (75, Priority.ALERT),
        (85, Priority.CRITICAL),
        (95, Priority.EMERGENCY),
    ],
)
def test_a_worse_alert_goes_out_first(value: float, priority: Priority) -> None:
    assert [letter.priority for letter in letters(decision(opened(value)))] == [priority, priority]


def test_an_acknowledgement_is_an_answer_to_a_click() -> None:
    story = opened(95)
    story.ack(20, by="U7")
    edit, note = letters(decision(story))
    assert (edit.kind, edit.priority, note.priority) == (LetterKind.EDIT, Priority.ANSWER, Priority.ANSWER)
    assert note.facts["actor"] == "U7"


def test_an_edit_for_a_repeat_can_wait_whatever_the_level() -> None:
    story = opened(95)
    assert story.value(400, 95) == ["EDITED"]
    (edit,) = letters(decision(story))
    assert (edit.kind, edit.priority) == (LetterKind.EDIT, Priority.EDIT)


def test_a_broadcast_note_says_so_and_a_change_of_level_names_the_old_one() -> None:
    story = opened(65)
    story.tell([(20, 85), (35, 85)])
    _, note = letters(decision(story))
    assert note.broadcast
    assert note.facts["from_level"] == "warning"


def test_silence_sends_nothing() -> None:
    story = Story()
    story.value(0, 75)
    assert letters(decision(story)) == ()
    assert letters(Decision(None, (), Reason.TARGET_BAND)) == ()


def test_facts_are_json_and_absent_is_not_zero() -> None:
    told = alert_facts(alert(value=0.0, peak=None), delivery_ms=0).as_json()
    assert json.loads(json.dumps(told)) == told
    assert (told["value"], told["peak"], told["delivery_ms"]) == (0.0, None, 0)
    assert told["detected_at"] == "2026-03-01T09:00:00+00:00"
    assert told["problem"] == {"kind": "timeout", "detail": "5 s"}


@pytest.mark.parametrize(
    ("needs", "level", "checks"),
    [(rule(FIVE), Level.INFO, 3), (rule(FIVE), Level.CRITICAL, 2), (rule(FIVE), Level.EMERGENCY, 1)],
)
def test_a_rule_says_how_many_checks_a_level_needs(needs: Rule, level: Level, checks: int) -> None:
    assert needs.checks_for(level) == checks


def test_the_machine_changes_no_value_that_it_was_given() -> None:
    before = alert()
    copy = alert()
    for event in (Measured(99.0, at(99)), Acknowledged("U2", 3), Unwatched()):
        step(rule(), before.subject, before, event, at(99))
    assert before == copy
