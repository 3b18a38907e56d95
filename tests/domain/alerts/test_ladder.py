"""Who is called, and when (alerts.md, Escalation ladder)."""

from dataclasses import replace
from itertools import pairwise

import pytest

from bot.domain.alerts.ladder import Policy
from bot.domain.alerts.model import EditCard, Page
from bot.domain.alerts.paging import deadline_of, next_page
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import FIVE, VALUE_AT, Nearby, Story, at, rule

L1, L2, L3 = "UFIRST", "USECOND", "UTHIRD"
MINUTE = 60
DAY = 24 * 60 * MINUTE


def opened(level: Level, near: Nearby | None = None) -> Story:
    """An alert of that level that fires at second 0."""
    story = Story(replace(rule(FIVE), confirm=1), around=near or Nearby())
    assert "OPENED" in story.value(0, VALUE_AT[level])
    return story


TABLE: dict[Level, list[tuple[float, tuple[str, ...]]]] = {
    Level.INFO: [],
    Level.WARNING: [(30, (L1,))],
    Level.ERROR: [(5, (L1,)), (20, (L2,)), (80, (L1, L2)), (140, (L1, L2)), (200, (L1, L2))],
    Level.CRITICAL: [
        *((1, (L1,)), (6, (L2,)), (11, (L3,))),
        *((16, (L1,)), (21, (L2,)), (26, (L3,))),
        *((31, (L1,)), (36, (L2,)), (41, (L3,))),
        *((71, (L1, L2, L3)), (101, (L1, L2, L3)), (131, (L1, L2, L3))),
    ],
    Level.EMERGENCY: [
        *((0, (L1, L2)), (2, (L2,)), (5, (L3,))),
        *((10, (L1, L2, L3)), (15, (L1, L2, L3)), (20, (L1, L2, L3)), (25, (L1, L2, L3))),
    ],
}


@pytest.mark.parametrize("level", list(Level))
def test_each_level_has_its_steps(level: Level) -> None:
    story = opened(level)
    last = TABLE[level][-1][0] if TABLE[level] else 0
    story.passes(last * MINUTE)
    assert story.called == TABLE[level]
    assert story.now.pages == len(TABLE[level])


@pytest.mark.parametrize(
    ("level", "minutes"), [(Level.ERROR, 60), (Level.CRITICAL, 30), (Level.EMERGENCY, 5)]
)
def test_what_nobody_acknowledges_is_repeated_for_a_whole_day(level: Level, minutes: int) -> None:
    story = opened(level)
    story.passes(DAY)
    repeats = [minute for minute, _ in story.called[len(TABLE[level]) - 1 :]]
    assert {later - earlier for earlier, later in pairwise(repeats)} == {minutes}
    assert repeats[-1] > 24 * 60 - minutes


@pytest.mark.parametrize("level", [Level.INFO, Level.WARNING])
def test_mild_levels_call_once_at_most(level: Level) -> None:
    story = opened(level)
    story.passes(DAY)
    assert story.called == TABLE[level]
    assert deadline_of(story.now) is None


def test_the_clock_starts_when_it_fires_and_not_with_the_first_bad_check() -> None:
    story = Story(rule(FIVE), around=Nearby())
    story.tell([(0, 75), (60, 75), (120, 75)])
    story.passes(DAY)
    assert story.called[0] == (2 + 5, (L1,))


@pytest.mark.parametrize("level", list(Level))
def test_no_page_happens_twice(level: Level) -> None:
    story = opened(level)
    told: list[Page] = []
    told += story.pages
    for second in range(0, 6 * 60 * MINUTE, 15):
        story.due(second)
        told += story.pages
        story.due(second)  # asked twice in a moment
        told += story.pages
    names = [(page.epoch, page.round, page.step) for page in told]
    assert len(names) == len(set(names)) == story.now.pages


def test_a_page_draws_the_card_anew_and_says_why() -> None:
    story = opened(Level.ERROR)
    assert story.due(5 * MINUTE) == ["EDITED"]
    assert story.last is not None
    assert story.last.reason == Reason.PAGED
    assert [type(effect) for effect in story.last.effects] == [EditCard, Page]
    assert story.due(5 * MINUTE + 1) == []
    assert story.reason is Reason.NOT_DUE


def test_a_check_that_comes_when_a_step_is_due_takes_it() -> None:
    story = opened(Level.ERROR)
    story.value(5 * MINUTE, VALUE_AT[Level.ERROR])
    assert story.called == [(5, (L1,))]
    assert story.due(5 * MINUTE) == []


def test_a_good_check_that_does_not_end_it_holds_no_step_up() -> None:
    story = opened(Level.ERROR)
    assert story.value(5 * MINUTE, 10) == ["EDITED"]
    assert (story.called, story.reason) == ([(5, (L1,))], Reason.PAGED)


def test_late_after_a_restart_it_is_one_step_and_not_a_burst() -> None:
    story = opened(Level.CRITICAL)
    late = 8 * MINUTE  # L1 should have been called at 1 and L2 at 6
    story.due(late)
    assert story.called == [(8, (L1,))]
    story.passes(20 * MINUTE)
    assert story.called == [(8, (L1,)), (13, (L2,)), (18, (L3,))]


def test_late_to_the_second_of_the_next_step_is_still_one_step() -> None:
    story = opened(Level.CRITICAL)
    story.due(6 * MINUTE)
    assert story.called == [(6, (L1,))]
    assert deadline_of(story.now) == at(11 * MINUTE)


def test_a_little_late_does_not_push_the_next_step_back() -> None:
    story = opened(Level.CRITICAL)
    story.due(1 * MINUTE + 20)
    story.passes(6 * MINUTE)
    assert story.called[-1] == (6, (L2,))


def test_days_late_it_goes_on_in_its_rhythm() -> None:
    story = opened(Level.EMERGENCY)
    story.passes(10 * MINUTE)
    before = len(story.called)
    story.due(3 * DAY)
    assert len(story.called) == before + 1
    assert deadline_of(story.now) == at(3 * DAY + 5 * MINUTE)


def test_an_acknowledgement_stops_the_ladder() -> None:
    story = opened(Level.CRITICAL)
    story.passes(MINUTE)
    story.ack(2 * MINUTE)
    story.passes(30 * MINUTE)
    assert story.called == [(1, (L1,))]


def test_the_end_stops_the_ladder() -> None:
    story = opened(Level.CRITICAL)
    story.tell([(15, 10), (30, 10)])
    assert deadline_of(story.now) is None
    story.due(DAY)
    assert story.called == []


def test_a_rise_restarts_at_the_new_level() -> None:
    story = opened(Level.ERROR)
    story.passes(5 * MINUTE)
    assert story.value(6 * MINUTE, 85) == ["LEVEL_UP"]
    assert (story.now.level, story.now.epoch) == (Level.CRITICAL, 2)
    story.passes(18 * MINUTE)
    assert story.called[1:] == [(7, (L1,)), (12, (L2,)), (17, (L3,))]


def test_a_rise_to_an_emergency_calls_at_once() -> None:
    story = opened(Level.WARNING)
    assert story.value(15, 95) == ["LEVEL_UP"]
    assert story.called == [(0.25, (L1, L2))]


def test_a_rise_voids_the_acknowledgement_and_calls_again() -> None:
    story = opened(Level.ERROR)
    story.ack(MINUTE)
    assert story.value(2 * MINUTE, 85) == ["LEVEL_UP"]
    assert (story.now.acked_by, story.now.ack_until) == (None, None)
    story.passes(4 * MINUTE)
    assert story.called == [(3, (L1,))]


@pytest.mark.parametrize("minute", [0.5, 4, 7, 12, 33, 75, 200])
def test_a_fall_calls_nobody_at_that_moment(minute: float) -> None:
    story = opened(Level.CRITICAL)
    story.passes(minute * MINUTE)
    before = list(story.called)
    assert story.tell([(minute * MINUTE + 1, 72), (minute * MINUTE + 2, 72)]) == ["LEVEL_DOWN"]
    assert story.called == before


def test_after_a_fall_the_milder_ladder_goes_on_as_if_it_had_begun_with_the_alert() -> None:
    story = opened(Level.CRITICAL)
    story.passes(3 * MINUTE)
    before = len(story.called)
    story.tell([(4 * MINUTE, 72), (4 * MINUTE + 15, 72)])
    assert story.now.level is Level.ERROR
    story.passes(80 * MINUTE)
    assert story.called[before:] == [(20, (L2,)), (80, (L1, L2))]


def test_after_a_fall_nobody_is_paged_by_a_step_who_was_paged_already() -> None:
    story = opened(Level.CRITICAL)
    story.passes(11 * MINUTE)
    before = len(story.called)
    story.tell([(12 * MINUTE, 72), (12 * MINUTE + 15, 72)])
    story.passes(80 * MINUTE)
    assert story.called[before:] == [(80, (L1, L2))], "only the hourly repeat"


def test_after_a_fall_who_has_not_answered_is_called_again_by_the_next_round() -> None:
    story = opened(Level.EMERGENCY)
    story.passes(6 * MINUTE)
    before = len(story.called)
    story.tell([(7 * MINUTE, 85), (7 * MINUTE + 15, 85)])
    assert story.now.level is Level.CRITICAL
    story.passes(41 * MINUTE)
    assert story.called[before:] == TABLE[Level.CRITICAL][3:9], "the second round and the third"


def test_a_fall_while_the_milder_ladder_repeats_waits_for_one_repeat() -> None:
    story = opened(Level.CRITICAL)
    story.passes(101 * MINUTE)
    before = len(story.called)
    story.tell([(102 * MINUTE, 72), (102 * MINUTE + 15, 72)])
    story.passes(200 * MINUTE)
    assert story.called[before:] == [(162.25, (L1, L2))]


def test_a_fall_to_a_level_without_steps_ends_the_calling() -> None:
    story = opened(Level.CRITICAL)
    story.tell([(15, 52), (30, 52)])
    assert story.now.level is Level.INFO
    story.passes(DAY)
    assert story.called == []


def test_a_fall_of_what_is_acknowledged_starts_no_ladder() -> None:
    story = opened(Level.CRITICAL)
    story.ack(15)
    story.tell([(30, 72), (45, 72)])
    story.passes(20 * MINUTE)
    assert story.called == []


def test_what_comes_back_begins_its_ladder_anew() -> None:
    story = opened(Level.ERROR)
    story.passes(20 * MINUTE)
    before = len(story.called)
    story.tell([(21 * MINUTE, 10), (21 * MINUTE + 15, 10), (22 * MINUTE, 75)])
    story.passes(42 * MINUTE)
    assert story.called[before:] == [(27, (L1,)), (42, (L2,))]


def test_the_next_page_is_known_with_who_would_get_it() -> None:
    near = Nearby()
    story = opened(Level.CRITICAL, near)
    story.passes(MINUTE)
    following = next_page(story.now, near)
    assert following is not None
    assert (following[0], [who.id for who in following[1]]) == (at(6 * MINUTE), [L2])
    story.ack(2 * MINUTE)
    assert next_page(story.now, near) is None


def test_an_alert_of_a_policy_with_nobody_has_no_deadline() -> None:
    story = opened(Level.EMERGENCY, Nearby(Policy()))
    assert (story.called, deadline_of(story.now)) == ([], None)
