"""Restores in the database, for practice or in earnest: how long each took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from bot.domain.backup.repositories import Place
from bot.store import backup_tables as tables
from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Drill:
    """A restore, timed. `reason` is None when all was restored and compared."""

    source: str
    snapshot: str
    place: Place
    at: datetime
    seconds: float
    size: int
    files: int
    reason: str | None = None


class DrillStore:
    """Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, drill: Drill) -> None:
        """Write down a restore."""
        statement = insert(tables.backup_drills).values(
            source=drill.source,
            snapshot=drill.snapshot,
            place=drill.place.value,
            at=drill.at,
            seconds=drill.seconds,
            size=drill.size,
            files=drill.files,
            reason=drill.reason,
        )
        async with self._database.begin() as connection:
            await connection.execute(statement)

    async def since(self, since: datetime) -> list[Drill]:
        """The restores since that moment, oldest first."""
        table = tables.backup_drills
        query = select(table).where(table.c.at >= since).order_by(table.c.at, table.c.id)
        async with self._database.read() as connection:
            return [
                Drill(
                    row["source"],
                    row["snapshot"],
                    Place(row["place"]),
                    row["at"],
                    row["seconds"],
                    row["size"],
                    row["files"],
                    row["reason"],
                )
                for row in (await connection.execute(query)).mappings()
            ]
