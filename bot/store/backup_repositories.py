"""The repositories that are known to be ours, in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from bot.domain.backup.repositories import Place, RepositoryFacts
from bot.store import backup_tables as tables
from bot.store.backup_losses import give_up
from bot.store.database import Database


class RepositoryStore:
    """Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self) -> dict[Place, RepositoryFacts]:
        """The repositories that are known to be ours."""
        table = tables.backup_repositories
        async with self._database.read() as connection:
            rows = (await connection.execute(select(table))).mappings().all()
        return {
            Place(row["place"]): RepositoryFacts(
                row["repository"], row["version"], row["chunker"], row["keys"]
            )
            for row in rows
        }

    async def seen(self) -> dict[Place, datetime]:
        """When each repository last said something new of itself."""
        table = tables.backup_repositories
        async with self._database.read() as connection:
            rows = await connection.execute(select(table.c.place, table.c.seen_at))
            return {Place(place): seen_at for place, seen_at in rows}

    async def give_up(self, place: Place, repository: str, at: datetime) -> bool:
        """As `bot.store.backup_losses.give_up`."""
        return await give_up(self._database, place, repository, at)

    async def save(self, place: Place, facts: RepositoryFacts, at: datetime) -> None:
        """Which repository is at that place from now on."""
        table = tables.backup_repositories
        async with self._database.begin() as connection:
            await connection.execute(delete(table).where(table.c.place == place.value))
            await connection.execute(
                insert(table).values(
                    place=place.value,
                    repository=facts.id,
                    version=facts.version,
                    chunker=facts.chunker,
                    keys=facts.keys,
                    seen_at=at,
                )
            )
