"""What silences and maintenance windows have in common in the database.

Either table says what a cover is about, from when until when it holds, whose it is and why, and who ended it
before its time, if somebody did.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, RowMapping, Table, insert, select, update

from bot.domain.matchers import Matcher
from bot.store.database import Database

Kept = TypeVar("Kept")


class CoverStore(ABC, Generic[Kept]):
    """Writes covers of one kind and reads them. Every method may raise StoreUnavailable."""

    _table: ClassVar[Table]
    _ended: ClassVar[str]
    """the word in the names of the columns `WORD_at` and `WORD_by`"""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def end(self, number: int, at: datetime, by: str) -> bool:
        """Write that somebody ended it; False if somebody else was first, or there is none of that number."""
        values = {f"{self._ended}_at": at, f"{self._ended}_by": by}
        statement = update(self._table).where(self._table.c.id == number, self._is_not_ended())
        async with self._database.begin() as connection:
            return (await connection.execute(statement.values(values))).rowcount == 1

    async def unfinished(self, now: datetime) -> list[Kept]:
        """Those that hold at that moment or will later, in the order in which they were made."""
        table = self._table
        query = select(table).where(self._is_not_ended(), table.c.ends_at > now).order_by(table.c.id)
        async with self._database.read() as connection:
            return [self._of(row) for row in (await connection.execute(query)).mappings()]

    async def _insert(
        self,
        matcher: Matcher,
        starts_at: datetime,
        ends_at: datetime,
        owner: str,
        reason: str,
        created_at: datetime | None,
    ) -> int:
        """Write a new one; its number."""
        statement = insert(self._table).values(
            matcher=str(matcher),
            starts_at=starts_at,
            ends_at=ends_at,
            owner=owner,
            reason=reason,
            created_at=created_at,
        )
        async with self._database.begin() as connection:
            return int((await connection.execute(statement.returning(self._table.c.id))).scalar_one())

    def _is_not_ended(self) -> ColumnElement[bool]:
        return self._table.c[f"{self._ended}_at"].is_(None)

    @abstractmethod
    def _of(self, row: RowMapping) -> Kept:
        """The cover of a row of the table."""
