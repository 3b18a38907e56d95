"""What raises a level beside the bands (alerts.md, Levels)."""

import pytest

from bot.domain.alerts.facts import alert_facts
from bot.domain.alerts.model import AddNote, Condition, EditCard, Note, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import CPU, FIVE, VALUE_AT, Nearby, Story, rule, silence, subject

WARNING = 75.0


def firing() -> Story:
    story = Story(rule(CPU), around=Nearby())
    story.tell([(0, WARNING), (15, WARNING), (30, WARNING)])
    return story


@pytest.mark.parametrize(
    ("level", "why"),
    [(Level.ERROR, "forecast"), (Level.EMERGENCY, "layers"), (Level.EMERGENCY, "no_backend")],
)
def test_it_rises_at_once_and_the_card_says_why(level: Level, why: str) -> None:
    story = firing()
    version = story.now.version
    assert story.raised(40, level, why) == ["LEVEL_UP"]
    assert (story.now.level, story.now.peak_level, story.now.version) == (level, level, version + 1)
    assert story.reason is Reason.RAISED
    assert story.last is not None
    loud = level >= Level.CRITICAL
    note = AddNote(Note.LEVEL_UP, broadcast=loud, from_level=Level.WARNING)
    assert story.last.effects[:2] == (EditCard(), note)
    assert alert_facts(story.now).raised == why


def test_the_ladder_begins_anew() -> None:
    story = firing()
    story.raised(40, Level.EMERGENCY)
    assert story.called == [(0.67, ("UFIRST", "USECOND"))]


def test_it_voids_an_acknowledgement_and_breaks_a_silence() -> None:
    story = firing()
    story.ack(35)
    story.raised(40, Level.ERROR, "forecast")
    assert (story.now.status, story.now.acked_by) == (Status.FIRING, None)
    story.around = Nearby(lies=silence(3600))
    story.due(45)
    assert story.raised(50, Level.EMERGENCY) == ["SILENCE_BROKEN", "LEVEL_UP"]


def test_the_bands_may_not_lower_it_while_it_holds() -> None:
    story = firing()
    story.raised(40, Level.EMERGENCY)
    assert story.tell([(45 + 15 * n, WARNING) for n in range(10)]) == ["EDITED"]  # called again
    assert story.now.level is Level.EMERGENCY


def test_it_ends_like_any_other() -> None:
    story = firing()
    story.raised(40, Level.EMERGENCY)
    assert story.tell([(45, 10), (60, 10)]) == ["RESOLVED"]
    assert (story.now.floor, story.now.floor_why) == (None, None)


def test_what_is_lifted_falls_by_the_next_checks() -> None:
    story = firing()
    story.raised(40, Level.EMERGENCY)
    assert story.raised(41, None) == []
    assert (story.now.level, story.reason) == (Level.EMERGENCY, Reason.RAISE_LIFTED)
    assert story.tell([(45, WARNING), (60, WARNING)]) == ["LEVEL_DOWN"]
    assert story.now.level is Level.WARNING


def test_another_reason_that_asks_for_less_lets_it_fall_so_far() -> None:
    story = firing()
    story.raised(40, Level.EMERGENCY)
    assert story.raised(41, Level.ERROR, "forecast") == []
    assert story.tell([(45, WARNING), (60, WARNING)]) == ["LEVEL_DOWN"]
    assert story.now.level is Level.ERROR
    assert alert_facts(story.now).raised == "forecast"


def test_the_same_again_changes_nothing() -> None:
    story = firing()
    story.raised(40, Level.ERROR, "forecast")
    before = story.now
    assert story.raised(50, Level.ERROR, "forecast") == []
    assert (story.alert, story.reason) == (before, Reason.NOT_DUE)


def test_what_is_at_that_level_already_is_only_held_there() -> None:
    story = Story(rule(FIVE))
    story.value(0, VALUE_AT[Level.EMERGENCY])
    assert story.raised(10, Level.ERROR) == []
    assert story.now.peak_level is story.now.level is Level.EMERGENCY
    assert story.tell([(15, 62), (30, 62)]) == ["LEVEL_DOWN"]
    assert (story.now.level, story.now.band) == (Level.ERROR, "70-80%")


def test_a_level_that_is_no_band_keeps_the_band_that_the_value_is_in() -> None:
    story = firing()
    story.raised(40, Level.EMERGENCY)
    assert story.now.band == "70-85%"


def test_what_is_not_open_is_not_raised() -> None:
    story = Story()
    assert story.raised(0, Level.ERROR) == []
    assert (story.alert, story.reason) == (None, Reason.NOT_OPEN)
    story.value(1, WARNING)
    assert story.raised(2, Level.ERROR) == []
    assert story.now.floor is None


def test_a_reported_alert_is_held_there_too() -> None:
    story = Story(rule(None), subject(Condition.REPORTED))
    story.report(0, Level.WARNING)
    assert story.raised(1, Level.EMERGENCY) == ["LEVEL_UP"]
    assert story.report(2, Level.WARNING) == []
    story.raised(3, None)
    assert story.report(4, Level.WARNING) == ["LEVEL_DOWN"]
