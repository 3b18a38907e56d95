"""An acknowledgement does not hold for ever (alerts.md, Escalation ladder)."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from bot.domain.alerts.ladder import DEFAULT_ACK_EXPIRES
from bot.domain.alerts.model import AddNote, EditCard, Note, Page, Status
from bot.domain.alerts.paging import deadline_of
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import FIVE, VALUE_AT, Nearby, Story, at, rule

MINUTE = 60
HOLDS = {Level.WARNING: 480, Level.ERROR: 120, Level.CRITICAL: 30, Level.EMERGENCY: 30}


def acked(level: Level, near: Nearby | None = None) -> Story:
    """An alert of that level that U9 acknowledges in the moment in which it fires."""
    story = Story(replace(rule(FIVE), confirm=1), around=near or Nearby())
    story.value(0, VALUE_AT[level])
    assert story.ack(0, by="U9") == ["ACKED"]
    story.called.clear()
    return story


@pytest.mark.parametrize(("level", "minutes"), HOLDS.items())
def test_each_level_has_its_time(level: Level, minutes: int) -> None:
    story = acked(level)
    assert story.now.ack_until == deadline_of(story.now) == at(minutes * MINUTE)
    assert story.due(minutes * MINUTE - 1) == []
    assert story.now.status is Status.ACKED
    assert story.due(minutes * MINUTE) == ["ACK_EXPIRED"]
    assert (story.now.status, story.reason) == (Status.FIRING, Reason.ACK_EXPIRED)
    assert (story.now.acked_by, story.now.acked_at, story.now.ack_until) == (None, None, None)


def test_who_acknowledged_and_who_is_on_call_now_are_called() -> None:
    near = Nearby()
    story = acked(Level.ERROR, near)
    near.on_call["first"] = "UNOW"
    story.due(120 * MINUTE)
    assert story.last is not None
    drawn, note, page = story.last.effects
    assert (drawn, note) == (EditCard(), AddNote(Note.ACK_EXPIRED, actor="U9"))
    assert isinstance(page, Page)
    assert page.expired
    assert story.called == [(120, ("U9", "UNOW"))]


def test_who_acknowledged_and_is_on_call_is_called_once() -> None:
    near = Nearby()
    near.on_call["first"] = "U9"
    story = acked(Level.ERROR, near)
    story.due(120 * MINUTE)
    assert story.called == [(120, ("U9",))]


def test_with_nobody_on_call_the_one_who_acknowledged_is_called() -> None:
    story = acked(Level.ERROR, Nearby(on_call={}))
    story.due(120 * MINUTE)
    assert story.called == [(120, ("U9",))]


def test_the_ladder_begins_anew_behind_it() -> None:
    story = acked(Level.ERROR)
    story.passes(140 * MINUTE)
    assert story.called[1:] == [(125, ("UFIRST",)), (140, ("USECOND",))]


def test_an_emergency_is_called_once_at_that_moment_with_all_who_would_be() -> None:
    story = acked(Level.EMERGENCY)
    story.passes(35 * MINUTE)
    assert story.called == [
        (30, ("U9", "UFIRST", "USECOND")),
        (32, ("USECOND",)),
        (35, ("UTHIRD",)),
    ]


def test_every_page_has_its_own_name_though_it_expires_again_and_again() -> None:
    story = acked(Level.CRITICAL)
    names: list[tuple[int, int, int]] = []
    for minute in range(0, 24 * 60):
        story.due(minute * MINUTE)
        names += [(page.epoch, page.round, page.step) for page in story.pages]
        if minute % 47 == 0:
            story.ack(minute * MINUTE, by="U9")
    assert len(names) == len(set(names)) == story.now.pages > 40


def test_what_is_written_in_the_thread_renews_it() -> None:
    story = acked(Level.CRITICAL)
    assert story.active(20 * MINUTE, by="U9") == []
    assert story.reason is Reason.ACK_RENEWED
    assert story.due(30 * MINUTE) == []
    assert story.active(45 * MINUTE, by="U9") == []
    assert story.due(74 * MINUTE) == []
    assert story.due(75 * MINUTE) == ["ACK_EXPIRED"]


def test_anybody_s_words_renew_it_and_the_card_shows_who_looks() -> None:
    story = acked(Level.CRITICAL)
    assert story.active(20 * MINUTE, by="U5") == ["EDITED"]
    assert (story.now.acked_by, story.now.seen_by) == ("U9", ("U9", "U5"))
    assert story.now.ack_until == at(50 * MINUTE)


def test_words_in_the_thread_are_no_acknowledgement() -> None:
    story = Story(replace(rule(FIVE), confirm=1), around=Nearby())
    story.value(0, VALUE_AT[Level.CRITICAL])
    assert story.active(30, by="U5") == ["EDITED"]
    assert story.active(31, by="U5") == []
    assert (story.now.status, story.now.seen_by, story.reason) == (Status.FIRING, ("U5",), Reason.SEEN)
    story.passes(MINUTE)
    assert story.called == [(1, ("UFIRST",))]


def test_words_about_what_is_over_change_nothing() -> None:
    story = acked(Level.CRITICAL)
    story.tell([(15, 10), (30, 10)])
    before = story.now
    assert story.active(45) == []
    assert (story.alert, story.reason) == (before, Reason.NOT_OPEN)


def test_a_renewal_counts_transitions_no_further() -> None:
    story = acked(Level.CRITICAL)
    version = story.now.version
    story.active(20 * MINUTE)
    assert story.now.version == version
    story.due(50 * MINUTE)
    assert story.now.version == version + 1


def test_it_can_be_acknowledged_again() -> None:
    story = acked(Level.CRITICAL)
    story.due(30 * MINUTE)
    assert story.ack(30 * MINUTE + 5, by="U3") == ["ACKED"]
    story.passes(60 * MINUTE)
    assert story.called == [(30, ("U9", "UFIRST"))]
    story.passes(61 * MINUTE)
    assert story.called[1][1] == ("U3", "UFIRST")


def test_the_policy_s_own_times_hold() -> None:
    near = Nearby()
    quick = MappingProxyType({**DEFAULT_ACK_EXPIRES, Level.ERROR: timedelta(minutes=7)})
    near.policy = replace(near.policy, ack_expires=quick)
    assert deadline_of(acked(Level.ERROR, near).now) == at(7 * MINUTE)


def test_without_anybody_to_page_it_expires_too() -> None:
    near = Nearby()
    near.policy = replace(near.policy, tiers=())
    story = acked(Level.ERROR, near)
    assert story.due(120 * MINUTE) == ["ACK_EXPIRED"]
    assert story.called == [(120, ("U9",))]


def test_a_check_after_its_time_finds_it_expired() -> None:
    story = acked(Level.ERROR)
    assert story.value(121 * MINUTE, VALUE_AT[Level.ERROR]) == ["ACK_EXPIRED"]


def test_what_resolves_at_its_time_is_over_and_nobody_is_called() -> None:
    story = acked(Level.CRITICAL)
    assert story.tell([(29 * MINUTE, 10), (30 * MINUTE, 10)]) == ["RESOLVED"]
    assert story.called == []
