"""From the first bad check to the card: how often is often enough (alerts.md, Levels and State)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alerts.model import AddNote, Measured, Note, PostCard, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from probes.base import Layer
from tests.factories import FIVE, UPTIME, Story, at, rule, told


def test_a_critical_alert_opens_and_resolves() -> None:
    assert told([(0, 95), (15, 95), (30, 60), (45, 60)]) == ["OPENED", "RESOLVED"]


@pytest.mark.parametrize(
    ("value", "level", "checks"),
    [
        (55, Level.INFO, 3),
        (65, Level.WARNING, 3),
        (75, Level.ERROR, 3),
        (85, Level.CRITICAL, 2),
        (95, Level.EMERGENCY, 1),
    ],
)
def test_each_level_has_its_number_of_checks(value: float, level: Level, checks: int) -> None:
    story = Story(rule(FIVE))
    for number in range(checks - 1):
        assert story.value(15 * number, value) == []
        assert story.now.status is Status.PENDING
        assert story.reason is Reason.BELOW_CONFIRMATION
    assert story.value(15 * (checks - 1), value) == ["OPENED"]
    assert (story.now.status, story.now.level) == (Status.FIRING, level)
    assert story.reason is Reason.CONFIRMED


def test_a_security_event_needs_one_check() -> None:
    assert told([(0, 65)], rule(FIVE, Layer.SECURITY)) == ["OPENED"]


@pytest.mark.parametrize(
    ("values", "level"),
    [
        ((65, 85, 65), Level.WARNING),
        ((85, 75, 75), Level.ERROR),
        ((75, 65, 85), Level.WARNING),
        ((65, 65, 95), Level.EMERGENCY),
        ((65, 85, 85), Level.CRITICAL),
        ((85, 55, 75), Level.INFO),
    ],
)
def test_mixed_levels_confirm_the_worst_that_all_of_them_reach(
    values: tuple[float, ...], level: Level
) -> None:
    story = Story(rule(FIVE))
    seen = story.tell([(15 * number, value) for number, value in enumerate(values)])
    assert seen == ["OPENED"]
    assert story.now.level is level


def test_a_good_check_between_bad_ones_starts_the_count_again() -> None:
    story = Story()
    assert story.tell([(0, 75), (15, 75), (30, 60)]) == []
    assert (story.alert, story.reason) == (None, Reason.PENDING_DROPPED)
    assert story.tell([(45, 75), (60, 75)]) == []
    assert story.tell([(75, 75)]) == ["OPENED"]
    assert story.now.detected_at == at(45)


def test_a_milder_confirmation_than_the_critical_one_holds_for_critical_too() -> None:
    story = Story(replace(rule(), confirm=1))
    assert story.value(0, 95) == ["OPENED"]
    assert story.now.level is Level.CRITICAL


def test_longer_confirmations_from_the_configuration_are_honoured() -> None:
    slow = replace(rule(FIVE), confirm=5, confirm_critical=4, confirm_emergency=3)
    assert told([(15 * n, 65) for n in range(4)], slow) == []
    assert told([(15 * n, 65) for n in range(5)], slow) == ["OPENED"]
    assert told([(15 * n, 95) for n in range(2)], slow) == []
    assert told([(15 * n, 95) for n in range(3)], slow) == ["OPENED"]


def test_the_card_of_an_opened_alert_says_what_is_wrong() -> None:
    story = Story()
    story.tell([(0, 75), (15, 80), (30, 71)])
    alert = story.now
    assert (alert.value, alert.value_at_firing, alert.peak) == (71, 71, 80)
    assert (alert.band, alert.target_band, alert.unit) == ("70-85%", "< 70%", "%")
    assert (alert.detected_at, alert.fired_at) == (at(0), at(30))
    assert alert.peak_level is Level.WARNING
    assert story.last is not None
    assert story.last.effects == (PostCard(), AddNote(Note.OPENED))


def test_an_unconfirmed_worse_check_is_no_peak_level() -> None:
    story = Story()
    story.tell([(0, 95), (15, 75), (30, 75)])
    assert (story.now.level, story.now.peak_level) == (Level.WARNING, Level.WARNING)


def test_low_can_be_bad_and_the_peak_is_then_the_lowest() -> None:
    story = Story(replace(rule(UPTIME), margin=0.05))
    assert story.tell([(0, 99.8), (15, 99.7), (30, 99.8)]) == ["OPENED"]
    assert story.now.peak == 99.7


@pytest.mark.parametrize("value", [0.0, -0.0])
def test_zero_is_a_value(value: float) -> None:
    down = replace(rule(UPTIME), margin=0.05)
    story = Story(down)
    assert story.tell([(0, value), (15, value)]) == ["OPENED"]
    assert (story.now.value, story.now.value_at_firing, story.now.peak) == (0.0, 0.0, 0.0)


def test_zero_is_a_good_value_when_high_is_bad() -> None:
    story = Story()
    assert story.tell([(0, 95), (15, 95), (30, 0.0), (45, 0.0)]) == ["OPENED", "RESOLVED"]
    assert story.now.value == 0.0


def test_nothing_is_remembered_of_good_checks() -> None:
    story = Story()
    assert story.tell([(0, 10), (15, 69.9)]) == []
    assert (story.alert, story.reason) == (None, Reason.TARGET_BAND)


def test_a_metric_without_bands_is_never_bad() -> None:
    story = Story(rule(None))
    assert story.tell([(15 * n, 1e12) for n in range(10)]) == []
    assert story.alert is None


def test_a_check_counts_once_however_often_it_is_handed_in() -> None:
    story = Story()
    assert story.tell([(0, 75)] * 10) == []
    assert story.now.recent == (2,)


def test_a_clock_that_steps_back_stops_nothing() -> None:
    story = Story()
    assert story.tell([(3600, 75), (0, 75), (15, 75)]) == ["OPENED"]
    assert story.tell([(30, 60), (45, 60)]) == ["RESOLVED"]


def test_data_that_is_missing_in_between_neither_counts_nor_resets() -> None:
    story = Story()
    assert story.tell([(0, 75), (15, 75), (30, None), (45, None)]) == []
    assert story.reason is Reason.NO_DATA_HELD
    assert story.tell([(60, 75)]) == ["OPENED"]


def test_the_version_counts_transitions_and_not_checks() -> None:
    story = Story()
    story.tell([(15 * n, 75) for n in range(3)])
    assert story.now.version == 1
    story.tell([(45 + 15 * n, 75) for n in range(10)])
    assert story.now.version == 1
    assert story.now.repeats == 10


def test_facts_of_the_latest_check_that_had_any_are_kept() -> None:
    story = Story()
    story.value(0, 75, {"largest": "a"})
    story.value(15, 75)
    assert story.now.facts == {"largest": "a"}
    story.value(30, 75, {"largest": "b"})
    assert story.now.facts == {"largest": "b"}


def test_the_window_between_edits_is_measured_from_the_card() -> None:
    story = Story(replace(rule(), repeat_window=timedelta(0)))
    assert story.tell([(15 * n, 75) for n in range(5)]) == ["OPENED", "EDITED", "EDITED"]


def test_checks_too_far_apart_are_not_in_a_row() -> None:
    story = Story()
    five_minutes = timedelta(minutes=5)
    assert story.happens(Measured(75, at(0)), at(0)) == []
    assert story.happens(Measured(75, at(15)), at(15)) == []
    week = 7 * 24 * 3600.0
    assert story.happens(Measured(75, at(week), in_a_row=five_minutes), at(week)) == []
    assert (story.now.recent, story.now.detected_at) == ((2,), at(week))
    assert story.happens(Measured(75, at(week + 300), in_a_row=five_minutes), at(week + 300)) == []
    assert story.happens(Measured(75, at(week + 315), in_a_row=five_minutes), at(week + 315)) == ["OPENED"]


def test_good_checks_too_far_apart_do_not_end_an_alert() -> None:
    story = Story()
    story.tell([(0, 75), (15, 75), (30, 75), (45, 60)])
    limit = timedelta(minutes=5)
    assert story.happens(Measured(60, at(3600), in_a_row=limit), at(3600)) == []
    assert story.happens(Measured(60, at(3615), in_a_row=limit), at(3615)) == ["RESOLVED"]


def test_looks_at_the_same_moment_count_once() -> None:
    """As when it is restarted again and again, and looks at once each time."""
    story = Story()
    apart = timedelta(seconds=7.5)
    for second in range(8):
        assert story.happens(Measured(75, at(second), apart=apart), at(second)) == []
    assert story.now.recent == (2,)
    assert story.happens(Measured(75, at(15), apart=apart), at(15)) == []
    assert story.happens(Measured(75, at(30), apart=apart), at(30)) == ["OPENED"]
