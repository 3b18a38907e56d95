"""Backups in the database: those that were made, and the last attempt for each source.

What was found out about them, the repositories and the drills have stores of their own, which hang on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, delete, insert, select, update

from bot.domain.backup.snapshots import Taken
from bot.domain.backup.status import Attempt
from bot.store import backup_tables as tables
from bot.store.backup_drills import DrillStore
from bot.store.backup_proofs import ProofStore
from bot.store.backup_repositories import RepositoryStore
from bot.store.database import Database


class BackupStore:
    """Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.repositories = RepositoryStore(database)
        self.proofs = ProofStore(database)
        self.drills = DrillStore(database)

    async def add(self, taken: Taken) -> Taken:
        """Write down a backup that was made (its `id` does not matter); it with its number. That its
        source's last attempt went well is written with it."""
        table, attempts = tables.backup_snapshots, tables.backup_attempts
        async with self._database.begin() as connection:
            statement = insert(table).values(
                source=taken.source,
                snapshot=taken.snapshot,
                tree=taken.tree,
                taken_at=taken.taken_at,
                size=taken.size,
                files=taken.files,
                seconds=taken.seconds,
                run_id=taken.run_id,
                canary_path=taken.canary_path,
                canary_sha256=taken.canary_sha256,
                paths=list(taken.paths),
                exclude=list(taken.exclude),
                copied=taken.copied,
                heads=dict(taken.heads),
                forgotten_at=taken.forgotten_at,
            )
            number = (await connection.execute(statement.returning(table.c.id))).scalar_one()
            await connection.execute(delete(attempts).where(attempts.c.source == taken.source))
            await connection.execute(
                insert(attempts).values(source=taken.source, at=taken.taken_at, reason=None)
            )
            query = select(table).where(table.c.id == number)
            return _taken((await connection.execute(query)).mappings().one())

    async def save_copy(self, number: int, copied: str) -> None:
        """What the off-site repository calls that backup."""
        table = tables.backup_snapshots
        async with self._database.begin() as connection:
            await connection.execute(update(table).where(table.c.id == number).values(copied=copied))

    async def forgotten(self, snapshots: Sequence[str], at: datetime) -> None:
        """Those snapshots are gone from the local repository."""
        table = tables.backup_snapshots
        async with self._database.begin() as connection:
            await connection.execute(
                update(table).where(table.c.snapshot.in_(snapshots)).values(forgotten_at=at)
            )

    async def kept(self, source: str | None = None) -> list[Taken]:
        """The backups that are still kept, of all sources or of one, oldest first."""
        return [each for each in await self.anywhere(source) if each.forgotten_at is None]

    async def anywhere(self, source: str | None = None) -> list[Taken]:
        """The backups that one repository at least has, of all sources or of one, oldest first."""
        table = tables.backup_snapshots
        there = table.c.forgotten_at.is_(None) | table.c.copied.is_not(None)
        query = select(table).where(there).order_by(table.c.taken_at, table.c.id)
        if source is not None:
            query = query.where(table.c.source == source)
        async with self._database.read() as connection:
            return [_taken(row) for row in (await connection.execute(query)).mappings()]

    async def copies_forgotten(self, copies: Sequence[str]) -> None:
        """Those copies, by their off-site names, are gone from there."""
        table = tables.backup_snapshots
        async with self._database.begin() as connection:
            await connection.execute(update(table).where(table.c.copied.in_(copies)).values(copied=None))

    async def newest(self, source: str, run_id: int | None = None) -> Taken | None:
        """The newest backup of that source that is still kept; of that run, if one is given."""
        found = [each for each in await self.kept(source) if run_id is None or each.run_id == run_id]
        return found[-1] if found else None

    async def attempted(self, source: str, at: datetime, reason: str | None) -> None:
        """How the last attempt for that source went."""
        table = tables.backup_attempts
        async with self._database.begin() as connection:
            await connection.execute(delete(table).where(table.c.source == source))
            await connection.execute(insert(table).values(source=source, at=at, reason=reason))

    async def attempts(self) -> dict[str, Attempt]:
        """The last attempt for each source."""
        table = tables.backup_attempts
        async with self._database.read() as connection:
            return {row[0]: Attempt(*row) for row in await connection.execute(select(table))}


def _taken(row: RowMapping) -> Taken:
    return Taken(
        id=row["id"],
        source=row["source"],
        snapshot=row["snapshot"],
        tree=row["tree"],
        taken_at=row["taken_at"],
        size=row["size"],
        files=row["files"],
        seconds=row["seconds"],
        run_id=row["run_id"],
        canary_path=row["canary_path"],
        canary_sha256=row["canary_sha256"],
        paths=tuple(row["paths"]),
        exclude=tuple(row["exclude"]),
        copied=row["copied"],
        heads=row["heads"],
        forgotten_at=row["forgotten_at"],
    )
