"""What is remembered of on-call duty: overrides, the last person on call, and who the handles are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping, delete, insert, select, update

from bot.domain.oncall.model import Override
from bot.store import tables
from bot.store.database import Database


class DutyStore:
    """Overrides are never deleted: what is undone or over stays as history. Every method may raise
    StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def overrides(self, after: datetime) -> list[Override]:
        """Overrides that end after that moment and have not been undone, by number."""
        table = tables.overrides
        query = select(table).where(table.c.undone_at.is_(None), table.c.ends_at > after).order_by(table.c.id)
        async with self._database.read() as connection:
            return [_override_of(row) for row in (await connection.execute(query)).mappings()]

    async def add_override(self, override: Override, now: datetime) -> Override:
        """Write an override down; it comes back with its number."""
        statement = insert(tables.overrides).values(
            schedule=override.schedule,
            user=override.user,
            starts_at=override.start,
            ends_at=override.end,
            by=override.by,
            why=override.why,
            made_at=now,
        )
        async with self._database.begin() as connection:
            result = await connection.execute(statement.returning(tables.overrides.c.id))
            return replace(override, id=result.scalar_one())

    async def undo_override(self, number: int, by: str, now: datetime) -> bool:
        """Undo an override; False if there is none of that number, or it has been undone before."""
        table = tables.overrides
        statement = update(table).where(table.c.id == number, table.c.undone_at.is_(None))
        async with self._database.begin() as connection:
            return (await connection.execute(statement.values(undone_at=now, undone_by=by))).rowcount == 1

    async def duties(self) -> dict[str, str]:
        """Who was on call last, by schedule, as far as anybody has been told."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(tables.duties.c.schedule, tables.duties.c.user))
            return {schedule: user for schedule, user in rows}

    async def remember_duty(self, schedule: str, user: str, since: datetime) -> None:
        """Who is on call in a schedule now."""
        table = tables.duties
        async with self._database.begin() as connection:
            await connection.execute(delete(table).where(table.c.schedule == schedule))
            await connection.execute(insert(table).values(schedule=schedule, user=user, since=since))

    async def people(self) -> dict[str, str]:
        """The user ids of handles as they were last known."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(tables.people.c.reference, tables.people.c.user))
            return {reference: user for reference, user in rows}

    async def remember_people(self, people: Mapping[str, str]) -> None:
        """The user ids of handles, instead of those that were known."""
        async with self._database.begin() as connection:
            await connection.execute(delete(tables.people))
            if people:
                rows = [{"reference": reference, "user": user} for reference, user in people.items()]
                await connection.execute(insert(tables.people), rows)


def _override_of(row: RowMapping) -> Override:
    return Override(
        id=row["id"],
        schedule=row["schedule"],
        user=row["user"],
        start=row["starts_at"],
        end=row["ends_at"],
        by=row["by"],
        why=row["why"],
    )
