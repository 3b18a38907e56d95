"""A database in memory is one connection, which everybody waits for."""

from __future__ import annotations

import asyncio

from bot.domain.letters import LetterKind
from bot.store.changes import NewLetter
from bot.store.database import Database
from bot.store.store import Store
from tests.factories import letter


async def test_writers_and_readers_at_the_same_time() -> None:
    database = await Database.open("sqlite+aiosqlite://")
    try:
        store = Store(database)
        await asyncio.gather(
            *(store.write([NewLetter(letter(number, LetterKind.NOTE))]) for number in range(1, 11)),
            *(store.queued_letters() for _ in range(10)),
        )
        assert [each.id for each in await store.queued_letters()] == list(range(1, 11))
    finally:
        await database.close()


async def test_two_of_them_know_nothing_of_each_other() -> None:
    first, second = [await Database.open("sqlite+aiosqlite://") for _ in range(2)]
    try:
        await Store(first).write([NewLetter(letter(1))])
        assert await Store(second).queued_letters() == []
    finally:
        await first.close()
        await second.close()
