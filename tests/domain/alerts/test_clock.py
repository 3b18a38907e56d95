"""A clock that steps (alerts.md, Escalation ladder): nothing that is due is delayed by it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alerts.model import Status
from bot.domain.alerts.paging import deadline_of, shifted
from bot.domain.levels import Level
from tests.factories import FIVE, VALUE_AT, Nearby, Story, alert, at, rule, silence

MINUTE = 60
HOUR = 60 * MINUTE


def opened(level: Level, near: Nearby | None = None) -> Story:
    story = Story(replace(rule(FIVE), confirm=1), around=near or Nearby())
    story.value(HOUR, VALUE_AT[level])
    return story


def steps_back(story: Story, seconds: float) -> None:
    story.alert = shifted(story.now, timedelta(seconds=-seconds))


@pytest.mark.parametrize("seconds", [1, MINUTE, HOUR, 24 * HOUR])
def test_a_clock_that_steps_back_delays_no_page(seconds: float) -> None:
    story = opened(Level.CRITICAL)
    story.passes(HOUR + 3 * MINUTE)
    story.called.clear()
    steps_back(story, seconds)
    begin = HOUR - seconds
    minutes = round(begin / MINUTE, 2)
    assert deadline_of(story.now) == at(begin + 6 * MINUTE)
    story.passes(begin + 16 * MINUTE)
    assert [(round(minute - minutes), who) for minute, (who,) in story.called] == [
        (6, "USECOND"),
        (11, "UTHIRD"),
        (16, "UFIRST"),
    ]


def test_a_fall_after_it_counts_from_the_moved_beginning() -> None:
    story = opened(Level.CRITICAL)
    steps_back(story, HOUR)
    story.tell([(12 * MINUTE, 72), (12 * MINUTE + 15, 72)])
    story.called.clear()
    story.passes(20 * MINUTE)
    assert story.called == [(20, ("USECOND",))]


def test_an_acknowledgement_holds_as_long_as_it_would_have() -> None:
    story = opened(Level.CRITICAL)
    story.ack(HOUR)
    steps_back(story, HOUR)
    assert deadline_of(story.now) == at(30 * MINUTE)


def test_the_moments_that_people_named_stay() -> None:
    story = opened(Level.CRITICAL, Nearby(lies=silence(2 * HOUR)))
    steps_back(story, HOUR)
    assert deadline_of(story.now) == at(2 * HOUR)


def test_flapping_ends_no_later() -> None:
    flaps = alert(
        flapping=True, flips=0, reopenings=(at(HOUR), at(HOUR + 60), at(HOUR + 120)), ack_until=None
    )
    assert deadline_of(flaps) == at(HOUR + 30 * MINUTE)
    assert deadline_of(shifted(flaps, timedelta(hours=-1))) == at(30 * MINUTE)


def test_what_is_over_or_waits_stays_as_it_is() -> None:
    for status in (Status.PENDING, Status.RESOLVED):
        known = alert(status=status)
        assert shifted(known, timedelta(hours=-1)) is known
    assert shifted(alert(), timedelta(0)) == alert()


def test_a_clock_that_jumps_ahead_is_one_step_and_no_burst() -> None:
    story = opened(Level.EMERGENCY)
    story.called.clear()
    story.due(30 * HOUR)
    assert len(story.called) == 1
    assert deadline_of(story.now) is not None


@pytest.mark.parametrize("level", [Level.WARNING, Level.ERROR, Level.CRITICAL, Level.EMERGENCY])
def test_a_clock_that_steps_back_without_anybody_noticing_repeats_nothing(level: Level) -> None:
    story = opened(level)
    story.passes(HOUR + 30 * MINUTE)
    before = len(story.called)
    for second in range(0, HOUR, 30):
        story.due(second)
        story.value(second, VALUE_AT[level])
    assert len(story.called) == before
