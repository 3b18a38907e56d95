"""Whom the ladder's steps reach, and whose policy it is (alerts.md, Escalation ladder)."""

from datetime import timedelta
from types import MappingProxyType

import pytest

from bot.domain.alerts.ladder import Ladder, Policy, Rung
from bot.domain.alerts.model import AddNote, EditCard, Note
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.domain.alerts.test_ladder import L1, L2, L3, MINUTE, TABLE, opened
from tests.factories import TIERS, VALUE_AT, Nearby


def test_a_step_that_reaches_nobody_moves_on_at_once_and_says_so() -> None:
    near = Nearby()
    del near.on_call["first"]
    story = opened(Level.CRITICAL, near)
    story.due(MINUTE)
    assert story.last is not None
    empty = AddNote(Note.EMPTY_STEP, step=1, round=1, meant=TIERS[0])
    assert story.last.effects[:2] == (EditCard(), empty)
    assert (story.called, story.reason) == ([(1, (L2,))], Reason.PAGED)
    story.passes(6 * MINUTE)
    assert story.called[1:] == [(6, (L3,))]


def test_a_last_step_that_reaches_nobody_begins_the_next_round_at_once() -> None:
    near = Nearby()
    del near.on_call["third"]
    story = opened(Level.CRITICAL, near)
    story.passes(16 * MINUTE)
    assert story.called == [(1, (L1,)), (6, (L2,)), (11, (L1,)), (16, (L2,))]


@pytest.mark.parametrize(
    ("level", "minutes"),
    [(Level.WARNING, [30]), (Level.CRITICAL, [1, 6, 11, 41, 71]), (Level.EMERGENCY, [0, 5, 10, 15])],
)
def test_where_nobody_is_there_every_step_is_tried_once_a_round(level: Level, minutes: list[int]) -> None:
    story = opened(level, Nearby(on_call={}))
    assert story.last is not None
    empty = AddNote(Note.EMPTY_STEP, step=1, round=1, meant=(*TIERS[0], *TIERS[1]))
    tried = [0] if empty in story.last.effects else []
    told = story.passes(minutes[-1] * MINUTE)
    tried += [round(second / MINUTE) for second, _ in told]
    assert sorted(set(tried)) == minutes
    assert story.called == []
    assert level is Level.EMERGENCY or story.reason is Reason.STEP_EMPTY


def test_who_comes_on_call_meanwhile_is_called_by_the_next_round() -> None:
    near = Nearby(on_call={})
    story = opened(Level.CRITICAL, near)
    story.passes(3 * MINUTE)
    near.on_call["first"] = "UNEW"
    story.passes(7 * MINUTE)
    assert story.called == [(6, ("UNEW",))]


@pytest.mark.parametrize(
    ("tiers", "called"),
    [
        (0, []),
        (1, [(1, (L1,)), (6, (L1,)), (11, (L1,)), (41, (L1,))]),
        (2, [(1, (L1,)), (6, (L2,)), (11, (L1,)), (16, (L2,)), (21, (L1,)), (26, (L2,)), (56, (L1, L2))]),
    ],
)
def test_tiers_that_a_policy_does_not_have_are_no_steps(
    tiers: int, called: list[tuple[float, tuple[str, ...]]]
) -> None:
    story = opened(Level.CRITICAL, Nearby(Policy(tiers=TIERS[:tiers])))
    story.passes(60 * MINUTE)
    assert story.called == called


def test_whoever_is_in_two_tiers_is_called_once() -> None:
    near = Nearby()
    near.on_call["second"] = L1
    assert opened(Level.EMERGENCY, near).called == [(0, (L1,))]


def test_the_policy_is_copied_when_it_opens() -> None:
    near = Nearby()
    story = opened(Level.ERROR, near)
    quick = MappingProxyType({Level.ERROR: Ladder((Rung(timedelta(seconds=10), (3,)),))})
    near.policy = Policy("other", TIERS, quick)
    story.passes(20 * MINUTE)
    assert story.called == TABLE[Level.ERROR][:2]
    again = opened(Level.ERROR, near)
    again.passes(20 * MINUTE)
    assert again.called == [(0.17, (L3,))]


def test_the_policy_of_an_alert_that_came_back_is_still_its_own() -> None:
    near = Nearby()
    story = opened(Level.ERROR, near)
    story.tell([(60, 10), (75, 10)])
    near.policy = Policy()
    story.value(90, VALUE_AT[Level.ERROR])
    story.passes(90 + 5 * MINUTE)
    assert story.called == [(6.5, (L1,))]


def test_who_is_on_call_is_asked_when_the_step_is_due() -> None:
    near = Nearby()
    story = opened(Level.ERROR, near)
    near.on_call["first"] = "ULATER"
    story.passes(5 * MINUTE)
    assert story.called == [(5, ("ULATER",))]
