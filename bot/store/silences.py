"""Silences in the database."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import RowMapping

from bot.domain.matcher_notation import parse
from bot.domain.silences import Silence
from bot.store import tables
from bot.store.covers import CoverStore


class SilenceStore(CoverStore[Silence]):
    """Writes silences and reads them. Every method may raise StoreUnavailable."""

    _table = tables.silences
    _ended = "lifted"

    async def add(self, silence: Silence) -> Silence:
        """Write a new silence; it comes back with its number."""
        number = await self._insert(
            silence.matcher,
            silence.starts_at,
            silence.ends_at,
            silence.owner,
            silence.reason,
            silence.created_at,
        )
        return replace(silence, id=number)

    def _of(self, row: RowMapping) -> Silence:
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
