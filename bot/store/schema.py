"""Bringing a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, text

from bot.store import backup_tables, deploy_tables, operation_tables
from bot.store.asynchronous import AsyncConnection
from bot.store.errors import StoreUnusable
from bot.store.tables import metadata

HEAD = "0009"
"""The newest migration. Compared first, so that a usual start doesn't pay for importing Alembic."""

_FURTHER = (backup_tables, deploy_tables, operation_tables)
"""Files that add tables of their own: they have to be known before the tables are made."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = Table(
    "alembic_version",
    MetaData(naming_convention={"pk": "%(table_name)s_pkc"}),
    Column("version_num", String(32), primary_key=True),
)
"""As Alembic makes it."""
_LOCK = 0x6775617264  # any number, the same for all Guardians


async def migrate(connection: AsyncConnection) -> None:
    """Run what is missing up to HEAD, within the transaction of `connection`.

    A new SQLite file is made from the tables themselves: the same (tests hold them together), without the
    8 MB and the half second that Alembic takes, on the first start of all.

    Raises StoreUnusable("newer_schema") for a database that a newer Guardian has already changed.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    current = await connection.run_sync(_current)
    if current == HEAD:
        return
    if current is not None and current > HEAD:
        raise StoreUnusable("newer_schema", f"schema {current}, this version knows up to {HEAD}")
    new = connection.dialect.name == "sqlite" and await connection.run_sync(_is_empty)
    await connection.run_sync(create if new else upgrade)


async def check(connection: AsyncConnection) -> None:
    """Whether the schema is at HEAD, for those who only read. Raises StoreUnusable where it is not:
    `no_schema`, `older_schema` or `newer_schema`."""
    current = await connection.run_sync(_current)
    if current is None:
        raise StoreUnusable("no_schema", "the database has no tables of a Guardian")
    if current != HEAD:
        code = "newer_schema" if current > HEAD else "older_schema"
        raise StoreUnusable(code, f"schema {current}, this version needs {HEAD}")


def _is_empty(connection: Connection) -> bool:
    return not inspect(connection).get_table_names()


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def create(connection: Connection) -> None:
    """Make all tables as they are at HEAD, in an empty SQLite file."""
    metadata.create_all(connection, checkfirst=False)
    _VERSION.create(connection)
    connection.execute(insert(_VERSION).values(version_num=HEAD))


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Run all migrations up to `revision` that have not been run."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
