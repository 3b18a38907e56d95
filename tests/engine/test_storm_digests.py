"""What a storm tells by name: everything once, in messages that Slack takes whole."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alerts.model import AddNote, Decision, EditCard, Note
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import Letter, LetterKind, Priority
from bot.domain.levels import Level
from bot.engine.storm_digests import LETTER_CHARACTERS, Digest, worst_of
from messages.facts import StormDigestFacts, StormDigestGroup
from messages.render import Voice
from tests.factories import alert, at, subject

KO = Voice("ko")


def told(
    target: str, note: Note = Note.OPENED, level: Level = Level.ERROR, title: str = "", service: str = "shop"
) -> Decision:
    about = subject(target=target)
    changed = alert(subject=about, level=level, title=title, labels={"service": service})
    return Decision(changed, (EditCard(), AddNote(note)), Reason.REPORTED)


def named(letters: list[tuple[StormDigestGroup, ...]]) -> Counter[tuple[str, str, str, str]]:
    return Counter(
        (group.what, group.level, group.title, target)
        for groups in letters
        for group in groups
        for target in group.targets
    )


EVENTS = st.lists(
    st.tuples(
        st.text(st.sampled_from("ab&<가"), max_size=8),
        st.sampled_from([Note.OPENED, Note.RESOLVED]),
        st.sampled_from([Level.WARNING, Level.CRITICAL]),
        st.sampled_from(["", "디스크 <찬다>"]),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=30)  # thousands of events
@given(EVENTS, st.integers(1, 400))
def test_everything_is_told_once_whatever_it_is(
    events: list[tuple[str, Note, Level, str]], times: int
) -> None:
    digest = Digest()
    expected: Counter[tuple[str, str, str, str]] = Counter()
    for target, note, level, title in events:
        for number in range(times):
            digest.add(told(f"{target}{number}", note, level, title))
            expected[(note.value, level.word, title, f"{target}{number}")] += 1
    letters = list(digest.letters())
    assert named(letters) == expected
    for groups in letters:
        text = KO.message("storm_digest", StormDigestFacts(1, groups).as_json()).text
        assert len(text) <= LETTER_CHARACTERS
        assert text.count("…") == 0, "nothing is cut"


@pytest.mark.parametrize("title", ["CPU > 90% & load > 40 on <node-7> (a & b)", "&" * 80, "디스크"])
def test_a_thousand_kinds_with_long_names_are_all_told(title: str) -> None:
    digest = Digest()
    for number in range(1000):
        digest.add(
            told(f"host-{number}", title=f"{number} {title}"[:80], service=f"<{number}>".ljust(59, "&"))
        )
    texts = [
        voice.message("storm_digest", StormDigestFacts(1, groups).as_json()).text
        for groups in digest.letters()
        for voice in (KO, Voice("en"))
    ]
    assert sum(text.count("host-") for text in texts) == 2 * 1000
    assert max(map(len, texts)) <= 39_000


def test_what_is_alike_is_one_group_in_the_order_it_came_first() -> None:
    digest = Digest()
    for target in ("a", "b"):
        digest.add(told(target))
        digest.add(told(target, Note.RESOLVED))
    (groups,) = digest.letters()
    assert [(group.what, group.targets) for group in groups] == [
        ("opened", ("a", "b")),
        ("resolved", ("a", "b")),
    ]


def test_a_step_that_reached_nobody_is_not_told() -> None:
    digest = Digest()
    digest.add(told("a", Note.EMPTY_STEP))
    assert not digest
    assert list(digest.letters()) == []


def test_a_letter_that_waits_is_taken_up_as_it_was() -> None:
    first, both = Digest(), Digest()
    for target in ("a", "b"):
        first.add(told(target))
        both.add(told(target))
    (groups,) = first.letters()
    facts = StormDigestFacts(1, groups).as_json()
    letter = Letter(
        1, "storm:1", LetterKind.NOTE, "c", "storm_digest", facts, Priority.CRITICAL, at(0), at(0)
    )
    again = Digest()
    again.add_letter(letter)
    assert list(again.letters()) == [groups]
    assert again.size == both.size


def test_the_worst_level_decides_how_urgent_it_is() -> None:
    digest = Digest()
    digest.add(told("a", level=Level.WARNING))
    digest.add(told("b", level=Level.CRITICAL))
    (groups,) = digest.letters()
    assert worst_of(groups) is Level.CRITICAL
