"""A probe that cannot measure is no data, and never OK (alerts.md, State)."""

from dataclasses import replace

import pytest

from bot.domain.alerts.model import AddNote, Condition, Note, PostCard, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from probes.base import Layer, Problem, ProblemKind
from tests.factories import TIMEOUT, Story, rule, subject


def blind(layer: Layer = Layer.INFRASTRUCTURE) -> Story:
    return Story(rule(layer=layer), subject(Condition.NO_DATA))


@pytest.mark.parametrize("layer", list(Layer))
def test_three_missed_intervals_are_an_alert_of_their_own(layer: Layer) -> None:
    story = blind(layer)
    assert story.tell([(0, None), (15, None)]) == []
    assert (story.now.status, story.reason) == (Status.PENDING, Reason.MISSED_ONCE)
    assert story.tell([(30, None)]) == ["NO_DATA"]
    assert (story.now.status, story.now.level, story.reason) == (
        Status.FIRING,
        Level.ERROR,
        Reason.NO_DATA,
    )
    assert story.last is not None
    assert story.last.effects == (PostCard(), AddNote(Note.NO_DATA))


def test_it_has_no_value_and_says_why() -> None:
    story = blind()
    story.tell([(0, None), (15, None)])
    refused = Problem(ProblemKind.REFUSED, "connection refused")
    story.missed(30, refused)
    alert = story.now
    assert (alert.value, alert.peak, alert.value_at_firing, alert.band) == (None, None, None, None)
    assert alert.problem == refused


def test_one_value_in_between_starts_the_count_again() -> None:
    assert blind().tell([(0, None), (15, None), (30, 0.0), (45, None), (60, None)]) == []


def test_it_ends_only_when_values_come_again() -> None:
    story = blind()
    story.tell([(15 * n, None) for n in range(3)])
    assert story.tell([(45, 99.0), (60, None), (75, 99.0)]) == []
    assert story.tell([(90, 99.0)]) == ["MEASURED_AGAIN"]
    assert (story.now.status, story.reason) == (Status.RESOLVED, Reason.MEASURED_AGAIN)
    assert story.now.problem == TIMEOUT  # the card keeps what had been wrong


def test_any_value_is_data_good_or_bad_zero_included() -> None:
    for value in (0.0, 100.0):
        story = blind()
        story.tell([(15 * n, None) for n in range(3)])
        assert story.tell([(45, value), (60, value)]) == ["MEASURED_AGAIN"]
        assert story.now.value is None


def test_it_is_edited_every_five_minutes_and_counts_what_it_missed() -> None:
    story = blind()
    seen = [(n * 30, word) for n in range(24) for word in story.tell([(n * 30, None)])]
    assert seen == [(60, "NO_DATA"), (360, "EDITED"), (660, "EDITED")]
    assert story.now.repeats == 21


def test_it_can_be_acknowledged_and_reopened_like_any_other() -> None:
    story = blind()
    story.tell([(15 * n, None) for n in range(3)])
    assert story.ack(50) == ["ACKED"]
    assert story.tell([(60, 1.0), (75, 1.0)]) == ["MEASURED_AGAIN"]
    assert story.tell([(90 + 15 * n, None) for n in range(3)]) == ["REOPENED"]


def test_the_number_of_missed_intervals_is_the_rule_s() -> None:
    story = Story(replace(rule(), missed=1), subject(Condition.NO_DATA))
    assert story.tell([(0, None)]) == ["NO_DATA"]


def test_a_threshold_alert_never_comes_from_missing_data() -> None:
    story = Story()
    assert story.tell([(15 * n, None) for n in range(50)]) == []
    assert story.alert is None
