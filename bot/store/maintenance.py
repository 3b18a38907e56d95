"""Maintenance windows that a command made, in the database."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import RowMapping

from bot.domain.maintenance import Once, Window
from bot.domain.matcher_notation import parse
from bot.store import tables
from bot.store.covers import CoverStore


class MaintenanceStore(CoverStore[Window]):
    """Writes one-off windows and reads them. Every method may raise StoreUnavailable."""

    _table = tables.maintenance
    _ended = "ended"

    async def add(self, window: Window, times: Once) -> Window:
        """Write a new window for those times; it comes back with its number."""
        number = await self._insert(
            window.matcher,
            times.starts_at,
            times.ends_at,
            window.owner or "",
            window.reason,
            window.created_at,
        )
        return replace(window, times=times, id=number)

    def _of(self, row: RowMapping) -> Window:
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
