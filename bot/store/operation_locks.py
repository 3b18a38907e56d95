"""Locks and freezes in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.domain.maintenance import Once
from bot.domain.operations.freeze import Freeze
from bot.domain.operations.locks import Lock
from bot.store.also import Also
from bot.store.asynchronous import AsyncConnection
from bot.store.database import Database
from bot.store.operation_tables import freezes, operation_locks, operations


class LockStore:
    """Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def taking(self, lock: Lock) -> Also:
        """To take that lock, with the next token, if nobody holds one on its subject at that moment. The
        token of the operation that takes it is written too."""
        table = operation_locks
        values = {
            "held": True,
            "by": lock.by,
            "since": lock.since,
            "run": lock.run,
            "reason": lock.reason,
            "until": lock.until,
        }

        async def also(connection: AsyncConnection) -> bool:
            free = table.c.held.is_(False) | (table.c.until.is_not(None) & (table.c.until <= lock.since))
            statement = update(table).where(table.c.subject == lock.subject, free)
            taken = await connection.execute(statement.values(token=table.c.token + 1, **values))
            if taken.rowcount == 0:
                try:
                    async with connection.begin_nested():
                        await connection.execute(
                            insert(table).values(subject=lock.subject, token=1, **values)
                        )
                except IntegrityError:
                    return False
            if lock.run is not None:
                token = select(table.c.token).where(table.c.subject == lock.subject).scalar_subquery()
                await connection.execute(
                    update(operations).where(operations.c.id == lock.run).values(token=token)
                )
            return True

        return also

    def releasing(self, subject: str, *, run: int | None = None, token: int | None = None) -> Also:
        """To let go of the lock on that subject: the run's, or, of a person's, the one with that token. That
        it is gone already is no reason not to write the rest."""
        table = operation_locks
        mine = table.c.run == run if run is not None else table.c.run.is_(None)
        if token is not None:
            mine &= table.c.token == token

        async def also(connection: AsyncConnection) -> bool:
            statement = update(table).where(table.c.subject == subject, table.c.held.is_(True), mine)
            done = await connection.execute(statement.values(held=False))
            return run is not None or done.rowcount == 1

        return also

    async def held(self, now: datetime) -> list[Lock]:
        """The locks that hold at that moment, by subject."""
        table = operation_locks
        query = select(table).where(table.c.held.is_(True)).order_by(table.c.subject)
        async with self._database.read() as connection:
            locks = [_lock_of(row) for row in (await connection.execute(query)).mappings()]
        return [lock for lock in locks if lock.holds(now)]

    def freezing(self, freeze: Freeze, times: Once, made_at: datetime) -> Also:
        """To write a new freeze, under the number that it has."""
        row = {
            "id": freeze.id,
            "subject": freeze.subject,
            "operations": sorted(freeze.operations),
            "starts_at": times.starts_at,
            "ends_at": times.ends_at,
            "reason": freeze.reason,
            "by": freeze.by or "",
            "made_at": made_at,
        }

        async def also(connection: AsyncConnection) -> bool:
            await connection.execute(insert(freezes).values(row))
            return True

        return also

    def thawing(self, number: int, at: datetime, by: str) -> Also:
        """To write that somebody ended it, if nobody has and there is one of that number."""
        open_ = (freezes.c.id == number) & freezes.c.ended_at.is_(None)
        statement = update(freezes).where(open_).values(ended_at=at, ended_by=by)

        async def also(connection: AsyncConnection) -> bool:
            return (await connection.execute(statement)).rowcount == 1

        return also

    async def last_freeze(self) -> int:
        """The highest number of a freeze ever given; 0 where there is none."""
        async with self._database.read() as connection:
            return int((await connection.execute(select(func.max(freezes.c.id)))).scalar() or 0)

    async def freezes(self, now: datetime) -> list[Freeze]:
        """Those that hold at that moment or will, in the order in which they were made."""
        query = select(freezes).where(freezes.c.ended_at.is_(None), freezes.c.ends_at > now)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(freezes.c.id))
            return [_freeze_of(row) for row in rows.mappings()]


def _lock_of(row: RowMapping) -> Lock:
    return Lock(
        subject=row["subject"],
        token=row["token"],
        by=row["by"],
        since=row["since"],
        run=row["run"],
        reason=row["reason"],
        until=row["until"],
    )


def _freeze_of(row: RowMapping) -> Freeze:
    return Freeze(
        name="",
        times=Once(row["starts_at"], row["ends_at"]),
        operations=frozenset(row["operations"]),
        subject=row["subject"],
        reason=row["reason"],
        id=row["id"],
        by=row["by"],
    )
