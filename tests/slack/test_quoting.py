"""Names with blanks, whatever quotes a keyboard makes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.operations.plan import JsonObject, Plan
from bot.engine.board import Board
from bot.engine.guardian import Guardian, Identity
from bot.engine.operations.contract import OperationRefused
from bot.slack.commands import all_commands
from bot.slack.dispatch import Dispatcher
from bot.slack.quoting import UnclosedQuote, leading_word, words_of
from bot.store.database import Database
from bot.store.store import Store
from tests.engine.operations.jobs import ANN, Chest, open_yard
from tests.engine.support import SetClock
from tests.engine.watching import CpuRules, Watch
from tests.factories import T0

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"\u201c\u201d\u201e\u201f'))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", ()),
        ("   ", ()),
        ("restore www /srv/back", ("restore", "www", "/srv/back")),
        ('restore www "/srv/my files"', ("restore", "www", "/srv/my files")),
        ("restore 'my site' /srv", ("restore", "my site", "/srv")),
        ("복원 “내 사이트” ‘/srv/새 폴더’", ("복원", "내 사이트", "/srv/새 폴더")),
        ("복원 „내 사이트“ /srv", ("복원", "내 사이트", "/srv")),
        ('"two  blanks" x', ("two  blanks", "x")),
        ('"" x', ("", "x")),
        ("don't stop", ("don't", "stop")),
        ("a 'it's here' b", ("a", "it's here", "b")),
        ('service="my shop"', ('service="my', 'shop"')),
        ('"say "hi" now"', ('say "hi', 'now"')),
    ],
)
def test_words(typed: str, words: tuple[str, ...]) -> None:
    assert words_of(typed) == words


@pytest.mark.parametrize("typed", ['restore www "/srv/my files', "'", "“열기만", '"a"b', "x 'y"])
def test_an_unclosed_quote_is_none(typed: str) -> None:
    with pytest.raises(UnclosedQuote):
        words_of(typed)


def test_what_stands_behind_the_first_word_is_as_it_was_typed() -> None:
    assert leading_word('"host one"  2h  \'til "friday') == ("host one", "2h  'til \"friday")


class Asked(Chest):
    """Takes down what is asked for."""

    name = "backup_restore"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.requests: list[JsonObject] = []

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        self.requests.append(request)
        raise OperationRefused("unknown_source", source="", known=[])


async def test_a_directory_with_blanks_is_asked_for_as_it_was_typed(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    clock, asked = SetClock(), Asked(tmp_path / "chest")
    watch = await Watch.begins(Store(database), clock)
    async with open_yard(database, asked.folder, clock, chest=asked, operations={asked.name: asked}) as yard:
        identity, board = Identity("web-1", "test", "1.0", T0), Board([], CpuRules())
        guardian = Guardian(identity, board, watch.desk, watch.outbox, watch.ledger, clock, audit=yard.audit)
        guardian.operations = yard.desk
        dispatcher = Dispatcher(guardian, "/guardian", all_commands())
        await dispatcher.answer('backup restore "my site" “/srv/새  폴더”', ANN)
        await dispatcher.answer("백업 복원 www '/srv/back up' abc123", ANN)
        unclosed = await dispatcher.answer("백업 복원 www '/srv/back up", ANN)
    await database.close()
    assert asked.requests == [
        {"source": "my site", "target": "/srv/새  폴더"},
        {"source": "www", "target": "/srv/back up", "snapshot": "abc123"},
    ]
    assert unclosed.template == "unclosed_quote"


@given(st.lists(WORDS, max_size=5))
def test_whatever_stands_in_quotes_is_one_word(words: list[str]) -> None:
    assert words_of(" ".join(f'"{word}"' for word in words)) == tuple(words)


@given(st.text())
def test_whatever_is_typed_has_words_or_an_unclosed_quote(typed: str) -> None:
    try:
        words = words_of(typed)
    except UnclosedQuote:
        return
    assert all(word in typed for word in words)
