"""From a decision to letters: which, in what order, with what priority."""

import itertools
import json

import pytest

from bot.domain.alerts.cards import Telling, letters_for, stream_of
from bot.domain.alerts.facts import alert_facts
from bot.domain.alerts.ladder import Policy, Target, TargetKind
from bot.domain.alerts.lifecycle import step
from bot.domain.alerts.model import Acknowledged, Decision, Due, Measured, Rule, Unwatched
from bot.domain.alerts.paging import deadline_of
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import Letter, LetterKind, Priority
from bot.domain.levels import Level
from tests.factories import FIVE, Nearby, Story, alert, at, rule


def letters(decision: Decision) -> tuple[Letter, ...]:
    return letters_for(decision, Telling("guardian-alerts", at(9), at(8)), itertools.count(40))


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
    card, note = letters(decision(opened(value)))[:2]
    assert card.priority is priority
    assert note.priority is max(priority, Priority.EDIT), "the card says it already"


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


EVERYWHERE = Policy(
    tiers=(
        (
            Target(TargetKind.PERSON, "U1"),
            Target(TargetKind.CHANNEL, "guardian-alerts"),
            Target(TargetKind.CHANNEL, "ops"),
            Target(TargetKind.APPRISE, "sms"),
        ),
    )
)


def called(value: float, policy: Policy) -> Story:
    """An alert at the moment of its first page."""
    story = Story(rule(FIVE), around=Nearby(policy))
    for number in range(3):
        if "OPENED" in story.value(number, value):
            break
    moment = deadline_of(story.now)
    if not story.pages and moment is not None:
        story.happens(Due(), moment)
    assert story.pages
    return story


def test_a_page_reaches_each_place_by_a_letter_of_its_own() -> None:
    thread, channel, text, edit = letters(decision(called(75, EVERYWHERE)))
    assert (edit.kind, edit.priority) == (LetterKind.EDIT, Priority.EDIT)
    assert (thread.kind, thread.template, thread.stream) == (LetterKind.NOTE, "page", edit.stream)
    assert recipients(thread) == ["U1", "guardian-alerts"]
    assert (channel.kind, channel.channel, text.channel) == (LetterKind.CARD, "ops", "apprise:sms")
    assert len({each.stream for each in (edit, channel, text)}) == 3, "none waits for another"


def page_of(story: Story) -> Letter:
    return next(each for each in letters(decision(story)) if each.template == "page")


def recipients(page: Letter) -> list[object]:
    found = page.facts["recipients"]
    assert isinstance(found, list)
    return [each["id"] for each in found if isinstance(each, dict)]


@pytest.mark.parametrize(("value", "loud"), [(65, False), (75, False), (85, True), (95, True)])
def test_a_page_of_a_critical_alert_is_shown_in_the_channel(value: float, loud: bool) -> None:
    page = page_of(called(value, Nearby().policy))
    assert (page.template, page.broadcast) == ("page", loud)


@pytest.mark.parametrize(
    ("value", "priority"),
    [(75, Priority.ALERT), (85, Priority.CRITICAL), (95, Priority.EMERGENCY)],
)
def test_a_page_is_as_urgent_as_its_alert(value: float, priority: Priority) -> None:
    assert page_of(called(value, Nearby().policy)).priority is priority


@pytest.mark.parametrize("value", [65, 75, 85, 95])
def test_a_page_waits_for_nothing_that_can_wait(value: float) -> None:
    told = letters(decision(called(value, Nearby().policy)))
    before = told[: told.index(page_of(called(value, Nearby().policy)))]
    assert all(each.priority < Priority.EDIT for each in before), "they go out one after the other"
    assert [each.kind for each in before] in ([], [LetterKind.CARD])


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
