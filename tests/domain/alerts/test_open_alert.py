"""What happens to an alert that people know of (alerts.md, State and Dedupe)."""

from dataclasses import replace

import pytest

from bot.domain.alerts.model import AddNote, Condition, EditCard, Note, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import FIVE, Story, at, rule, subject

MINUTE = 60


def firing(value: float = 75) -> Story:
    story = Story()
    assert story.tell([(0, value), (15, value), (30, value)])[0] == "OPENED"
    return story


def test_two_good_checks_beyond_the_exit_threshold_resolve_it() -> None:
    story = firing()
    assert story.value(45, 60) == []
    assert (story.now.status, story.reason) == (Status.FIRING, Reason.CLEARING)
    assert story.value(60, 60) == ["RESOLVED"]
    assert (story.now.status, story.now.resolved_at) == (Status.RESOLVED, at(60))
    assert story.reason is Reason.CLEARED
    assert (story.now.value, story.now.peak, story.now.value_at_firing) == (60, 75, 75)


def test_values_between_exit_and_entry_hold_it() -> None:
    story = firing()
    assert story.tell([(45 + 15 * n, 66) for n in range(10)]) == []
    assert story.now.status is Status.FIRING
    assert story.now.repeats == 0  # none of them was bad


def test_good_checks_count_only_in_a_row() -> None:
    story = firing()
    assert story.tell([(45, 60), (60, 66), (75, 60), (90, 75), (105, 60)]) == []
    assert story.tell([(120, 60)]) == ["RESOLVED"]


def test_a_worse_level_needs_its_own_confirmation() -> None:
    story = firing()
    assert story.value(45, 95) == []
    assert story.now.level is Level.WARNING
    assert story.value(60, 95) == ["LEVEL_UP"]
    assert (story.now.level, story.now.peak_level, story.now.band) == (
        Level.CRITICAL,
        Level.CRITICAL,
        "> 85%",
    )
    assert story.last is not None
    note = AddNote(Note.LEVEL_UP, broadcast=True, from_level=Level.WARNING)
    assert story.last.effects == (EditCard(), note)


def test_a_rise_voids_the_acknowledgement() -> None:
    story = firing()
    story.ack(40)
    story.tell([(45, 95), (60, 95)])
    assert (story.now.status, story.now.acked_by, story.now.acked_at) == (Status.FIRING, None, None)


def test_a_fall_only_edits_and_the_acknowledgement_stays() -> None:
    story = firing(95)
    story.ack(40)
    assert story.value(45, 75) == []
    assert story.value(60, 75) == ["LEVEL_DOWN"]
    assert (story.now.status, story.now.acked_by) == (Status.ACKED, "U1")
    assert (story.now.level, story.now.peak_level, story.now.band) == (
        Level.WARNING,
        Level.CRITICAL,
        "70-85%",
    )
    assert story.last is not None
    assert story.last.effects == (EditCard(), AddNote(Note.LEVEL_DOWN, from_level=Level.CRITICAL))


def test_a_fall_takes_the_worst_of_the_checks_below() -> None:
    story = Story(rule(FIVE))
    story.tell([(0, 95)])
    assert story.tell([(15, 20), (30, 72)]) == ["LEVEL_DOWN"]
    assert story.now.level is Level.ERROR


def test_an_alert_that_fell_can_rise_again_and_then_resolve() -> None:
    story = firing(95)
    assert story.tell([(45, 75), (60, 75), (75, 95), (90, 95), (105, 10), (120, 10)]) == [
        "LEVEL_DOWN",
        "LEVEL_UP",
        "RESOLVED",
    ]


@pytest.mark.parametrize(("value", "broadcast"), [(75, False), (95, True)])
def test_the_end_of_a_critical_alert_is_told_to_the_channel(value: float, broadcast: bool) -> None:
    story = firing(value)
    story.tell([(45, 10), (60, 10)])
    assert story.last is not None
    assert story.last.effects == (EditCard(), AddNote(Note.RESOLVED, broadcast=broadcast))


def test_a_stream_of_bad_checks_edits_once_in_five_minutes() -> None:
    story = Story()
    seen = [(n * 10, word) for n in range(120) for word in story.value(n * 10, 75)]
    assert seen == [(20, "OPENED"), (320, "EDITED"), (620, "EDITED"), (920, "EDITED")]


def test_within_the_window_a_repeat_is_counted_and_says_why_it_is_silent() -> None:
    story = firing()
    assert story.value(45, 75) == []
    assert (story.reason, story.now.repeats) == (Reason.DUPLICATE, 1)


def test_the_window_hides_no_rise_no_fall_no_end_and_no_reopening() -> None:
    story = Story()
    seen = story.tell(
        [(0, 95), (1, 95), (2, 75), (3, 75), (4, 95), (5, 95), (6, 10), (7, 10), (8, 95), (9, 95)]
    )
    assert seen == ["OPENED", "LEVEL_DOWN", "LEVEL_UP", "RESOLVED", "REOPENED"]


def test_a_clock_that_stepped_back_does_not_stretch_the_window() -> None:
    story = Story()
    story.tell([(7200, 75), (7215, 75), (7230, 75)])
    assert story.value(0, 75) == ["EDITED"]
    assert story.tell([(15, 75), (299, 75)]) == []
    assert story.value(300, 75) == ["EDITED"]


@pytest.mark.parametrize("acked", [False, True])
def test_missing_data_holds_an_open_alert(acked: bool) -> None:
    story = firing()
    if acked:
        story.ack(40)
    before = story.now
    assert story.tell([(45 + 15 * n, None) for n in range(20)]) == []
    assert (story.alert, story.reason) == (before, Reason.NO_DATA_HELD)


def test_missing_data_never_helps_to_resolve() -> None:
    story = firing()
    assert story.tell([(45, 60), (60, None), (75, None)]) == []
    assert story.tell([(90, 60)]) == ["RESOLVED"]


def test_bands_that_were_taken_away_let_it_end() -> None:
    story = firing()
    story.rule = rule(None)
    assert story.tell([(45, 75), (60, 75)]) == ["RESOLVED"]


def test_bands_that_were_moved_judge_an_open_alert() -> None:
    story = firing()
    story.rule = rule(FIVE)
    assert story.tell([(45, 95)]) == ["LEVEL_UP"]
    assert story.now.level is Level.EMERGENCY


def test_an_open_alert_that_is_no_longer_watched_ends() -> None:
    story = firing()
    assert story.unwatched(45) == ["RESOLVED"]
    assert (story.now.status, story.reason) == (Status.RESOLVED, Reason.NO_LONGER_WATCHED)


def test_a_pending_alert_that_is_no_longer_watched_is_forgotten() -> None:
    story = Story()
    story.value(0, 75)
    assert story.unwatched(15) == []
    assert (story.alert, story.reason) == (None, Reason.NO_LONGER_WATCHED)


def test_an_ended_alert_that_is_no_longer_watched_stays_as_it_was() -> None:
    story = firing()
    story.tell([(45, 10), (60, 10)])
    before = story.now
    assert story.unwatched(75) == []
    assert story.alert == before


def test_a_clear_of_one_resolves_at_once() -> None:
    story = Story(replace(rule(), clear=1))
    assert story.tell([(0, 95), (15, 95), (30, 60)]) == ["OPENED", "RESOLVED"]


def test_what_is_wrong_is_neither_level_nor_value() -> None:
    assert subject().key == subject().key
    others = {subject().key, subject(target="web-2").key, subject(Condition.NO_DATA).key}
    assert len(others) == 3
    assert len({subject(source="a", target="b").key, subject(source="a\x1fb", target="").key}) == 2
