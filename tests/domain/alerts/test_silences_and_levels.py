"""A silence survives resolve and is broken by a rise in level (alerts.md, Silence)."""

from dataclasses import replace

import pytest

from bot.domain.alerts.covers import Cover
from bot.domain.alerts.model import Status
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.domain.alerts.test_covers import BAD, COVERS, GOOD, HOUR, MINUTE, WORSE, story_of
from tests.factories import VALUE_AT, Nearby, silence


def test_a_silence_survives_resolve() -> None:
    story, _ = story_of(silence(HOUR))
    assert story.tell([(0, BAD), (15, GOOD), (30, GOOD), (45, BAD)]) == []
    assert (story.now.status, story.now.reopened) == (Status.FIRING, 1)
    assert story.now.cover == replace(silence(HOUR), level=Level.ERROR)
    late = 30 + 15 * MINUTE + 1
    assert story.tell([(60, GOOD), (75, GOOD), (75 + late, BAD)]) == []
    assert (story.now.reopened, story.now.carded) == (0, False)


@pytest.mark.parametrize("carded", [True, False])
def test_a_rise_in_level_breaks_a_silence(carded: bool) -> None:
    story, near = story_of(None if carded else silence(HOUR))
    story.value(0, BAD)
    near.lies = silence(HOUR)
    story.due(15)
    seen = story.value(30, WORSE)
    assert seen == (["SILENCE_BROKEN", "LEVEL_UP"] if carded else ["SILENCE_BROKEN"])
    assert (story.now.cover, story.now.broken, story.reason) == (None, ("1",), Reason.SILENCE_BROKEN)
    assert story.now.carded
    story.passes(30 + MINUTE)
    assert story.called == [(1.5, ("UFIRST",))]


def test_a_broken_silence_counts_no_more_for_this_alert() -> None:
    story, near = story_of(silence(HOUR))
    story.tell([(0, BAD), (15, WORSE), (30, 72), (45, 72)])
    assert (story.now.level, story.now.cover) == (Level.ERROR, None)
    assert story.tell([(60, GOOD), (75, GOOD), (90, BAD)]) == ["RESOLVED", "REOPENED"]
    near.lies = silence(HOUR, ref="2")
    assert story.due(100) == ["COVERED"]


def test_a_silence_whose_words_no_longer_match_the_risen_level_is_broken() -> None:
    class OnlyErrors(Nearby):
        def cover(self, level: Level, now: object, without: object = ()) -> Cover | None:
            silenced = level is Level.ERROR and not without
            return replace(silence(HOUR), level=level) if silenced else None

    story, _ = story_of()
    story.around = OnlyErrors()
    assert story.tell([(0, BAD)]) == []
    assert story.value(15, WORSE) == ["SILENCE_BROKEN"]
    assert story.tell([(30, 72), (45, 72)]) == ["LEVEL_DOWN"]


def test_a_fall_and_a_rise_back_do_not_break_a_silence() -> None:
    story, _ = story_of(silence(HOUR))
    assert story.tell([(0, WORSE), (15, 72), (30, 72), (45, WORSE), (60, WORSE)]) == []
    assert story.now.cover is not None


def test_what_comes_back_worse_than_it_ever_was_breaks_a_silence() -> None:
    story, _ = story_of(silence(HOUR))
    story.tell([(0, BAD), (15, GOOD), (30, GOOD)])
    assert story.value(45, WORSE) == ["SILENCE_BROKEN"]
    assert story.last is not None
    assert story.last.posts
    assert story.now.broken == ("1",)


def test_what_comes_back_no_worse_than_before_breaks_none() -> None:
    story, _ = story_of(silence(HOUR))
    assert story.tell([(0, WORSE), (15, GOOD), (30, GOOD), (45, WORSE)]) == []


@pytest.mark.parametrize("cover", COVERS[1:], ids=["maintenance", "inhibited"])
def test_a_rise_breaks_only_silences(cover: Cover) -> None:
    story, _ = story_of(cover)
    assert story.tell([(0, BAD), (15, WORSE), (30, VALUE_AT[Level.EMERGENCY])]) == []
    assert (story.now.cover, story.called) == (replace(cover, level=Level.ERROR), [])
