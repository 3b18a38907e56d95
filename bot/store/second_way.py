"""The table `second_way`: which letters have gone out another way, and where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select

from bot.domain.letters import Letter
from bot.store import tables
from bot.store.database import Database


class SecondWayStore:
    """Reads and writes what has gone out. Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sent(self) -> set[tuple[int, str]]:
        """Everything that has gone out: (letter, target)."""
        table = tables.second_way
        async with self._database.read() as connection:
            rows = await connection.execute(select(table.c.letter_id, table.c.target))
            return {(row.letter_id, row.target) for row in rows}

    async def add(self, sent: Sequence[tuple[Letter, str]], at: datetime) -> None:
        """Those letters have gone to those targets."""
        rows = [
            {"letter_id": letter.id, "target": target, "stream": letter.stream, "at": at}
            for letter, target in sent
        ]
        if rows:
            async with self._database.begin() as connection:
                await connection.execute(insert(tables.second_way), rows)

    async def prune(self, before: datetime) -> int:
        """Forget what went out before that moment: its letters are long gone. How many rows that were."""
        table = tables.second_way
        async with self._database.begin() as connection:
            return (await connection.execute(delete(table).where(table.c.at < before))).rowcount
