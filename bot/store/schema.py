"""Bringing a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.errors import StoreUnusable

HEAD = "0001"
"""The newest migration. Compared first, so that a usual start doesn't pay for importing Alembic."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6775617264  # any number, the same for all Guardians


async def migrate(connection: AsyncConnection) -> None:
    """Run what is missing up to HEAD, within the transaction of `connection`.

    Raises StoreUnusable("newer_schema") for a database that a newer Guardian has already changed.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    current = await connection.run_sync(_current)
    if current == HEAD:
        return
    if current is not None and current > HEAD:
        raise StoreUnusable("newer_schema", f"schema {current}, this version knows up to {HEAD}")
    await connection.run_sync(_upgrade)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
