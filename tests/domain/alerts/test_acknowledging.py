"""The button 확인: who may say "seen", and what a late, stale or second click does (alerts.md, State)."""

import pytest

from bot.domain.alerts.model import AddNote, EditCard, Note, Status
from bot.domain.alerts.reasons import Reason
from tests.factories import Story, at


def firing(value: float = 95) -> Story:
    story = Story()
    story.tell([(0, value), (15, value)])
    return story


def test_a_click_acknowledges_and_says_who_it_was() -> None:
    story = firing()
    version = story.now.version
    assert story.ack(20, by="U9") == ["ACKED"]
    assert (story.now.status, story.now.version) == (Status.ACKED, version + 1)
    assert (story.now.acked_by, story.now.acked_at) == ("U9", at(20))
    assert story.last is not None
    assert story.last.effects == (EditCard(), AddNote(Note.ACKED, actor="U9"))


def test_a_second_click_changes_nothing_and_the_first_remains_who_did_it() -> None:
    story = firing()
    story.ack(20, by="U1")
    before = story.now
    assert story.ack(21, by="U2") == []
    assert (story.alert, story.reason) == (before, Reason.ACK_ALREADY)


def test_of_two_clicks_on_the_same_drawing_one_wins() -> None:
    story = firing()
    version = story.now.version
    assert story.ack(20, by="U1", version=version) == ["ACKED"]
    assert story.ack(20, by="U2", version=version) == []
    assert (story.now.acked_by, story.reason) == ("U1", Reason.ACK_ALREADY)


def test_a_click_on_an_old_drawing_does_nothing() -> None:
    story = Story()
    story.tell([(0, 75), (15, 75), (30, 75)])
    drawn = story.now.version
    story.tell([(45, 95), (60, 95)])  # it rose, and the reader has not seen that
    before = story.now
    assert story.ack(61, version=drawn) == []
    assert (story.alert, story.reason) == (before, Reason.ACK_STALE)


def test_a_button_stays_good_while_only_the_figures_change() -> None:
    story = firing()
    drawn = story.now.version
    story.tell([(30 + 15 * n, 96) for n in range(40)])
    assert story.ack(700, version=drawn) == ["ACKED"]


@pytest.mark.parametrize("seconds", [61, 10 * 60, 24 * 3600])
def test_a_click_on_what_is_over_is_told_so(seconds: float) -> None:
    story = firing()
    drawn = story.now.version
    story.tell([(30, 10), (45, 10)])
    before = story.now
    assert story.ack(seconds, version=drawn) == []
    # However late: the answer shows the alert as it ended.
    assert (story.alert, story.reason) == (before, Reason.NOT_OPEN)


def test_a_click_on_what_never_fired_is_told_so() -> None:
    story = Story()
    story.value(0, 75)
    assert story.ack(5) == []
    assert (story.now.status, story.reason) == (Status.PENDING, Reason.NOT_OPEN)
    assert Story().ack(5) == []


def test_an_acknowledged_alert_resolves_by_itself() -> None:
    story = firing()
    story.ack(20)
    assert story.tell([(30, 10), (45, 10)]) == ["RESOLVED"]
    assert (story.now.status, story.now.acked_by) == (Status.RESOLVED, "U1")


def test_an_acknowledged_alert_still_edits_its_card() -> None:
    story = firing()
    story.ack(20)
    assert story.tell([(319, 95)]) == []
    assert story.tell([(320, 95)]) == ["EDITED"]
    assert story.now.status is Status.ACKED


def test_what_rose_can_be_acknowledged_again() -> None:
    story = Story()
    story.tell([(0, 75), (15, 75), (30, 75)])
    story.ack(40, by="U1")
    story.tell([(45, 95), (60, 95)])
    assert story.ack(70, by="U2") == ["ACKED"]
    assert story.now.acked_by == "U2"
