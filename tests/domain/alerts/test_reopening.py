"""What came back soon is the same alert; what came back late is a new one (alerts.md, Resolve)."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.alerts.model import AddNote, Alert, EditCard, Measured, Note, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import Story, at, rule

MINUTE = 60


def resolved(value: float = 75) -> Story:
    """An alert that is over since second 60."""
    story = Story()
    assert story.tell([(0, value), (15, value), (30, value), (45, 60), (60, 60)])[-1] == "RESOLVED"
    return story


def test_within_fifteen_minutes_the_same_card_reopens() -> None:
    story = resolved()
    first = story.now
    assert story.tell([(600, 75), (615, 75), (630, 75)]) == ["REOPENED"]
    again = story.now
    assert (again.status, again.reopened, again.version) == (Status.FIRING, 1, first.version + 1)
    assert (again.resolved_at, again.fired_at, again.detected_at) == (None, first.fired_at, first.detected_at)
    assert again.value_at_firing == first.value_at_firing
    assert story.last is not None
    assert story.last.effects == (EditCard(), AddNote(Note.REOPENED, broadcast=False))


def test_after_fifteen_minutes_it_is_a_new_alert() -> None:
    story = resolved()
    late = 60 + 15 * MINUTE + 1
    assert story.tell([(late, 75), (late + 15, 75), (late + 30, 75)]) == ["OPENED"]
    assert (story.now.version, story.now.reopened, story.now.detected_at) == (1, 0, at(late))


def test_fifteen_minutes_to_the_second_is_still_within() -> None:
    story = resolved()
    last = 60 + 15 * MINUTE
    assert story.tell([(last, 75), (last + 15, 75), (last + 30, 75)]) == ["REOPENED"]


def test_a_good_check_after_fifteen_minutes_lets_it_become_history() -> None:
    story = resolved()
    assert story.tell([(75, 60), (60 + 15 * MINUTE, 60)]) == []
    assert story.alert is not None
    assert story.tell([(61 + 15 * MINUTE, 60)]) == []
    assert story.alert is None


def test_a_reopening_needs_the_usual_confirmation() -> None:
    story = resolved()
    assert story.tell([(75, 75), (90, 75), (105, 60), (120, 75), (135, 75)]) == []
    assert story.tell([(150, 75)]) == ["REOPENED"]


def test_bad_checks_that_came_to_nothing_leave_what_was_true_at_the_end() -> None:
    story = resolved()
    before = story.now
    story.tell([(75, 95)])
    assert (story.reason, story.now.status) == (Reason.BELOW_CONFIRMATION, Status.RESOLVED)
    counted = before._replace(recent=(int(Level.CRITICAL),), last_at=at(75), last_bad=True)
    assert without_slots(story.now) == without_slots(counted)
    story.tell([(90, 60)])
    assert story.reason is Reason.TARGET_BAND
    assert without_slots(story.now._replace(last_at=before.last_at)) == without_slots(before)
    assert story.now.flips != before.flips, "only whether it flaps is learned from it"


def without_slots(known: Alert) -> Alert:
    return known._replace(flips=0)


def test_it_can_reopen_at_a_worse_level_and_remembers_the_worst() -> None:
    story = resolved()
    assert story.tell([(75, 95), (90, 95)]) == ["REOPENED"]
    assert (story.now.level, story.now.peak_level, story.now.band) == (
        Level.CRITICAL,
        Level.CRITICAL,
        "> 85%",
    )
    assert story.last is not None
    assert story.last.effects == (EditCard(), AddNote(Note.REOPENED, broadcast=True))
    story.tell([(105, 10), (120, 10)])
    assert story.last.effects == (EditCard(), AddNote(Note.RESOLVED, broadcast=True))


def test_it_can_reopen_at_a_milder_level_and_keeps_the_worst() -> None:
    story = resolved(95)
    assert story.tell([(75, 75), (90, 75), (105, 75)]) == ["REOPENED"]
    assert (story.now.level, story.now.peak_level) == (Level.WARNING, Level.CRITICAL)


def test_a_reopening_forgets_who_had_acknowledged_it() -> None:
    story = Story()
    story.tell([(0, 95), (15, 95)])
    story.ack(20)
    story.tell([(30, 60), (45, 60)])
    assert story.now.acked_by == "U1"  # the resolved card still says who looked after it
    assert story.tell([(60, 95), (75, 95)]) == ["REOPENED"]
    again = story.now
    assert (again.status, again.acked_by, again.acked_at) == (Status.FIRING, None, None)


def test_it_reopens_again_and_again() -> None:
    story = Story()
    seen = story.tell([(15 * n, 95 if n % 4 < 2 else 10) for n in range(12)])
    assert seen == ["OPENED", "RESOLVED", "REOPENED", "RESOLVED", "REOPENED", "RESOLVED"]
    assert story.now.reopened == 2


def test_a_confirmation_that_began_in_time_may_end_after_it() -> None:
    story = resolved()
    last = 60 + 15 * MINUTE
    assert story.tell([(last, 75), (last + 100, 75), (last + 200, 75)]) == ["REOPENED"]


def test_a_clock_that_stepped_back_reopens_rather_than_opens() -> None:
    story = resolved()
    assert story.tell([(-7200, 95), (-7185, 95)]) == ["REOPENED"]


def test_a_reopening_time_of_zero_makes_a_new_alert_of_whatever_comes() -> None:
    story = Story(replace(rule(), reopen_within=timedelta(0)))
    story.tell([(0, 95), (15, 95), (30, 60), (45, 60)])
    assert story.tell([(60, 95), (75, 95)]) == ["OPENED"]


def test_a_count_from_before_a_long_silence_reopens_nothing() -> None:
    story = resolved()
    assert story.tell([(600, 75)]) == []
    late = 8 * 60 * MINUTE
    assert story.happens(Measured(75, at(late), in_a_row=timedelta(minutes=5)), at(late)) == []
    assert (story.now.status, story.now.id) == (Status.PENDING, 0)
