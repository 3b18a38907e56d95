"""Silences in the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping, insert, select, update

from bot.domain.matcher_notation import parse
from bot.domain.silences import Silence
from bot.store import tables
from bot.store.database import Database


class SilenceStore:
    """Writes silences and reads them. Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, silence: Silence) -> Silence:
        """Write a new silence; it comes back with its number."""
        values = {
            "matcher": str(silence.matcher),
            "starts_at": silence.starts_at,
            "ends_at": silence.ends_at,
            "owner": silence.owner,
            "reason": silence.reason,
            "created_at": silence.created_at,
        }
        async with self._database.begin() as connection:
            done = await connection.execute(
                insert(tables.silences).values(values).returning(tables.silences.c.id)
            )
            return replace(silence, id=done.scalar_one())

    async def lift(self, number: int, at: datetime, by: str) -> bool:
        """Write that somebody lifted it; False if somebody else was first, or there is no such silence."""
        table = tables.silences
        async with self._database.begin() as connection:
            done = await connection.execute(
                update(table)
                .where(table.c.id == number, table.c.lifted_at.is_(None))
                .values(lifted_at=at, lifted_by=by)
            )
            return done.rowcount == 1

    async def unfinished(self, now: datetime) -> list[Silence]:
        """Those that hold at that moment or will later, in the order in which they were made."""
        table = tables.silences
        query = select(table).where(table.c.lifted_at.is_(None), table.c.ends_at > now).order_by(table.c.id)
        async with self._database.read() as connection:
            return [_silence_of(row) for row in (await connection.execute(query)).mappings()]


def _silence_of(row: RowMapping) -> Silence:
    return Silence(
        id=row["id"],
        matcher=parse(row["matcher"]),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        owner=row["owner"],
        reason=row["reason"],
        created_at=row["created_at"],
        lifted_at=row["lifted_at"],
        lifted_by=row["lifted_by"],
    )
