"""The table `heartbeats`: what is known of each job that must report."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert, select

from bot.domain.heartbeats import Beat, Heartbeat, JobState
from bot.store import tables
from bot.store.database import Database


class HeartbeatStore:
    """Reads and writes heartbeats. Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Heartbeat]:
        """Every job that is known, by name."""
        table = tables.heartbeats
        async with self._database.read() as connection:
            rows = await connection.execute(select(table).order_by(table.c.name))
            return [
                Heartbeat(
                    name=row["name"],
                    since=row["since"],
                    due_at=row["due_at"],
                    last_at=row["last_at"],
                    last=None if row["last_status"] is None else Beat(row["last_status"]),
                    started_at=row["started_at"],
                    said=row["said"],
                    told=None if row["told"] is None else JobState(row["told"]),
                )
                for row in rows.mappings()
            ]

    async def save(self, heartbeats: Iterable[Heartbeat], forgotten: Iterable[str] = ()) -> None:
        """Write those in the place of what was known of them, and forget others by name; all or nothing."""
        table = tables.heartbeats
        kept = list(heartbeats)
        async with self._database.begin() as connection:
            for name in (*forgotten, *(each.name for each in kept)):
                await connection.execute(delete(table).where(table.c.name == name))
            if kept:
                await connection.execute(insert(table), [_row(each) for each in kept])


def _row(heartbeat: Heartbeat) -> dict[str, object]:
    return {
        "name": heartbeat.name,
        "since": heartbeat.since,
        "due_at": heartbeat.due_at,
        "last_at": heartbeat.last_at,
        "last_status": None if heartbeat.last is None else heartbeat.last.value,
        "started_at": heartbeat.started_at,
        "said": heartbeat.said,
        "told": None if heartbeat.told is None else heartbeat.told.value,
    }
