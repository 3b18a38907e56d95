"""Maintenance windows that a command made, in the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping, insert, select, update

from bot.domain.maintenance import Once, Window
from bot.domain.matcher_notation import parse
from bot.store import tables
from bot.store.database import Database


class MaintenanceStore:
    """Writes one-off windows and reads them. Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, window: Window, times: Once) -> Window:
        """Write a new window for those times; it comes back with its number."""
        values = {
            "matcher": str(window.matcher),
            "starts_at": times.starts_at,
            "ends_at": times.ends_at,
            "owner": window.owner or "",
            "reason": window.reason,
            "created_at": window.created_at,
        }
        async with self._database.begin() as connection:
            done = await connection.execute(
                insert(tables.maintenance).values(values).returning(tables.maintenance.c.id)
            )
            return replace(window, times=times, id=done.scalar_one())

    async def end(self, number: int, at: datetime, by: str) -> bool:
        """Write that somebody ended it; False if somebody else was first, or there is no such window."""
        table = tables.maintenance
        async with self._database.begin() as connection:
            done = await connection.execute(
                update(table)
                .where(table.c.id == number, table.c.ended_at.is_(None))
                .values(ended_at=at, ended_by=by)
            )
            return done.rowcount == 1

    async def unfinished(self, now: datetime) -> list[Window]:
        """Those that hold at that moment or will later, in the order in which they were made."""
        table = tables.maintenance
        query = select(table).where(table.c.ended_at.is_(None), table.c.ends_at > now).order_by(table.c.id)
        async with self._database.read() as connection:
            return [_window_of(row) for row in (await connection.execute(query)).mappings()]


def _window_of(row: RowMapping) -> Window:
    return Window(
        name="",
        matcher=parse(row["matcher"]),
        times=Once(row["starts_at"], row["ends_at"]),
        reason=row["reason"],
        id=row["id"],
        owner=row["owner"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )
