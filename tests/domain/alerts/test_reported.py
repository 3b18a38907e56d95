"""What others report (alerts.md, State): their judgement counts at once, and the same again is no news."""

from dataclasses import replace

import pytest

from bot.domain.alerts.model import AddNote, Condition, EditCard, Note, PostCard, Reported, Status
from bot.domain.alerts.paging import deadline_of
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import Nearby, Story, at, rule, silence, subject

MINUTE = 60
conditions = pytest.mark.parametrize("condition", [Condition.REPORTED, Condition.HEARTBEAT])


def reported(condition: Condition = Condition.REPORTED) -> Story:
    return Story(rule(None), subject(condition), around=Nearby())


@conditions
@pytest.mark.parametrize("level", list(Level))
def test_one_report_is_an_alert(condition: Condition, level: Level) -> None:
    story = reported(condition)
    assert story.report(0, level) == ["OPENED"]
    assert story.last is not None
    assert story.last.effects[:2] == (PostCard(), AddNote(Note.OPENED))
    assert (story.now.status, story.now.level, story.now.peak_level) == (Status.FIRING, level, level)
    assert (story.now.title, story.reason) == ("Disk full", Reason.REPORTED)
    assert (story.now.value, story.now.band, story.now.unit) == (None, None, "")


@conditions
def test_the_end_that_is_reported_is_the_end(condition: Condition) -> None:
    story = reported(condition)
    story.report(0, Level.ERROR)
    assert story.report(10, None) == ["RESOLVED"]
    assert (story.now.status, story.reason) == (Status.RESOLVED, Reason.REPORT_OVER)
    assert deadline_of(story.now) is None


def test_an_end_of_what_never_began_is_nothing() -> None:
    story = reported()
    assert story.report(0, None) == []
    assert (story.alert, story.reason) == (None, Reason.REPORT_OVER)


def test_an_end_that_is_reported_twice_changes_nothing() -> None:
    story = reported()
    story.report(0, Level.ERROR)
    story.report(10, None)
    before = story.now
    assert story.report(20, None) == []
    assert (story.alert, story.reason) == (before, Reason.REPORT_OVER)


def test_the_same_report_within_five_minutes_changes_nothing_at_all() -> None:
    story = reported()
    story.report(0, Level.ERROR)
    before = story.now
    for second in range(1, 300):
        assert story.report(second, Level.ERROR) == []
        assert story.reason is Reason.DUPLICATE
    assert story.alert == before


def test_a_report_that_is_repeated_every_few_minutes_is_counted_and_drawn() -> None:
    story = reported()
    seen = [(minute, story.report(minute * MINUTE, Level.WARNING)) for minute in range(0, 21, 2)]
    assert [minute for minute, words in seen if words == ["EDITED"]] == [6, 12, 18]
    assert story.now.repeats == 3


def test_the_window_is_measured_on_a_clock_that_may_step_back() -> None:
    story = reported()
    story.report(7200, Level.ERROR)
    assert story.report(0, Level.ERROR) == ["EDITED"]
    assert story.report(10, Level.ERROR) == []


def test_a_rise_is_told_at_once_and_calls_anew() -> None:
    story = reported()
    story.report(0, Level.WARNING)
    assert story.report(10, Level.EMERGENCY) == ["LEVEL_UP"]
    assert story.called == [(0.17, ("UFIRST", "USECOND"))]


def test_a_fall_is_told_at_once_and_calls_nobody() -> None:
    story = reported()
    story.report(0, Level.EMERGENCY)
    story.called.clear()
    assert story.report(10, Level.WARNING) == ["LEVEL_DOWN"]
    assert (story.now.level, story.now.peak_level, story.called) == (Level.WARNING, Level.EMERGENCY, [])


def test_title_and_facts_are_those_of_the_latest_report_that_has_them() -> None:
    story = reported()
    story.report(0, Level.WARNING, "Disk 91 %")
    story.happens(Reported(True, Level.ERROR, at(10), "Disk 97 %", {"instance": "db-1"}), at(10))
    assert (story.now.title, dict(story.now.facts)) == ("Disk 97 %", {"instance": "db-1"})
    story.report(20, None, "")
    assert (story.now.title, dict(story.now.facts)) == ("Disk 97 %", {"instance": "db-1"})


def test_within_a_quarter_of_an_hour_it_reopens() -> None:
    story = reported()
    story.report(0, Level.ERROR)
    story.report(10, None)
    assert story.report(10 + 15 * MINUTE, Level.ERROR) == ["REOPENED"]
    assert story.now.reopened == 1


def test_later_it_is_a_new_alert() -> None:
    story = reported()
    story.report(0, Level.ERROR)
    story.report(10, None)
    assert story.report(11 + 15 * MINUTE, Level.ERROR) == ["OPENED"]
    assert story.now.reopened == 0


def test_it_is_acknowledged_called_for_and_covered_like_any_other() -> None:
    near = Nearby()
    story = reported()
    story.around = near
    story.report(0, Level.CRITICAL)
    story.passes(MINUTE)
    assert story.called == [(1, ("UFIRST",))]
    assert story.ack(70, by="U9") == ["ACKED"]
    story.passes(31 * MINUTE + 10)
    assert story.called[1][1] == ("U9", "UFIRST")
    near.lies = silence(3 * 3600)
    assert story.due(2000) == ["COVERED"]
    assert story.report(2100, Level.EMERGENCY) == ["SILENCE_BROKEN", "LEVEL_UP"]


def test_a_step_that_is_due_is_taken_though_the_report_is_no_news() -> None:
    story = reported()
    story.report(0, Level.CRITICAL)
    assert story.report(MINUTE, Level.CRITICAL) == ["EDITED"]
    assert (story.called, story.reason) == ([(1, ("UFIRST",))], Reason.PAGED)


def test_one_that_is_no_longer_watched_ends() -> None:
    story = reported(Condition.HEARTBEAT)
    story.report(0, Level.ERROR)
    assert story.unwatched(10) == ["RESOLVED"]


def flaps(story: Story) -> list[str]:
    """It comes and goes every minute, until it has come back for the third time at minute 6."""
    words: list[str] = []
    for minute in range(7):
        words += story.report(minute * MINUTE, None if minute % 2 else Level.ERROR)
    return words


def test_what_comes_back_three_times_in_half_an_hour_flaps() -> None:
    story = reported()
    assert flaps(story) == ["OPENED", *["RESOLVED", "REOPENED"] * 3, "FLAPPING"]
    before = story.now.version
    for minute in range(7, 15):
        story.report(minute * MINUTE, None if minute % 2 else Level.ERROR)
        assert (story.now.status, story.now.version) == (Status.FIRING, before)


@pytest.mark.parametrize("fails", [True, False])
def test_its_true_state_is_told_once_it_is_calm_though_nobody_reports_any_more(fails: bool) -> None:
    story = Story(rule(None), subject(Condition.REPORTED))
    flaps(story)
    last = 20 if fails else 21
    for minute in range(7, last + 1):
        assert story.report(minute * MINUTE, None if minute % 2 else Level.ERROR) == []
    # It came back at 16, 18 and 20: from minute 46 on these are not three within half an hour.
    ends = 46 * MINUTE
    told = story.passes(3 * 3600)
    assert told == [(ends, "FLAPPING_OVER" if fails else "RESOLVED")]
    assert story.now.status is (Status.FIRING if fails else Status.RESOLVED)


def test_a_milder_level_is_told_once_it_is_calm() -> None:
    story = Story(rule(None), subject(Condition.REPORTED))
    flaps(story)
    assert story.report(7 * MINUTE, Level.WARNING) == []
    assert story.now.level is Level.ERROR
    assert [word for _, word in story.passes(3600)] == ["FLAPPING_OVER", "LEVEL_DOWN"]
    assert (story.now.level, story.now.below) == (Level.WARNING, ())


def test_a_milder_level_that_rose_again_is_forgotten() -> None:
    story = Story(rule(None), subject(Condition.REPORTED))
    flaps(story)
    story.report(7 * MINUTE, Level.WARNING)
    story.report(8 * MINUTE, Level.ERROR)
    assert [word for _, word in story.passes(3600)] == ["FLAPPING_OVER"]
    assert story.now.level is Level.ERROR


def test_a_worse_level_is_told_though_it_flaps() -> None:
    story = reported()
    flaps(story)
    assert story.report(7 * MINUTE, Level.CRITICAL) == ["LEVEL_UP"]


def test_the_window_is_the_rule_s() -> None:
    story = Story(
        replace(rule(None), repeat_window=replace(rule()).repeat_window * 2), subject(Condition.REPORTED)
    )
    story.report(0, Level.ERROR)
    assert story.report(599, Level.ERROR) == []
    assert story.report(600, Level.ERROR) == ["EDITED"]
    assert story.last is not None
    assert story.last.effects == (EditCard(),)
