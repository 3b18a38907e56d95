"""Opening the database: connections, pragmas, transactions, migrations."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue
from pydantic_core import PydanticSerializationError, from_json, to_json
from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.store.asynchronous import AsyncConnection, AsyncEngine, create_async_engine
from bot.store.errors import StoreUnavailable, StoreUnusable
from bot.store.leadership import Leadership
from bot.store.schema import check, migrate
from bot.store.translation import NOT_A_DATABASE, store_errors

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT_SECONDS = 30

_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=4000")
"""The last: a storm is one transaction of 8 MB, and need not wait until it is in the main file as well. That
takes 16 MB of disk."""
_READ = "guardian_read"
_CANNOT_OPEN = "unable to open database file"
"""SQLite's words for a folder in the file's place, or for no permission to make or to open it."""


class Database:
    """A database with its schema at HEAD. `open` makes one; `close` gives everything back."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # SQLite reads one state within a transaction; PostgreSQL would take a new one for each statement.
        level = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        self._reader = engine.execution_options(**{_READ: True}, **level)

    @classmethod
    async def open(cls, url: str) -> Database:
        """Connect and bring the schema to HEAD.

        Raises StoreUnusable when that can never work (no database file, a newer schema, no permission)
        and StoreUnavailable when it may work later (server away, disk full).
        """
        file = _sqlite_file(url)
        if file is not None:
            await asyncio.to_thread(_make_ready, file)
        engine = _engine(url)
        database = cls(engine)
        try:
            async with database.begin() as connection:
                await migrate(connection)
        except BaseException:
            await engine.dispose()
            raise
        return database

    @classmethod
    async def open_to_read(cls, url: str) -> Database:
        """Connect to a database that is there and at HEAD, without changing anything of it, also while a
        Guardian runs with it. Whatever is written is refused.

        Raises as `open`; StoreUnusable also where there is no database, or one that an older Guardian made.
        """
        file = _sqlite_file(url)
        if file is not None:
            await asyncio.to_thread(_look_whether_there, file)
        database = cls(_read_only_engine(url, file))
        try:
            async with database.read() as connection:
                await check(connection)
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self._engine.dialect.name == "sqlite"

    def leadership(self) -> Leadership | None:
        """The lock that keeps a second Guardian off this database; None for SQLite, which has a lock file."""
        return None if self.is_sqlite else Leadership(self._engine)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A write transaction: committed at the end, rolled back on any error."""
        with store_errors():
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that reads one consistent state and waits for no writer."""
        with store_errors():
            async with self._reader.connect() as connection:
                yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


def _sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for one in memory and for other databases."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database)


def _make_ready(file: Path) -> None:
    """Open the file once by itself: a connection of the engine that fails at once leaves a thread behind,
    which complains when it finds the event loop gone.

    The journal mode is set here, and stays with the file. A connection of the engine would keep everybody
    else out from one turn of the event loop to the next while it sets it.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable("no_directory", f"{file.parent}: {error.strerror}") from error
    try:
        with closing(sqlite3.connect(file, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
    except sqlite3.DatabaseError as error:
        if _CANNOT_OPEN in str(error):
            raise StoreUnusable("cannot_open", f"{file}: {error}") from error
        if NOT_A_DATABASE in str(error):
            raise StoreUnusable("not_a_database", f"{file}: {error}") from error
        raise StoreUnavailable(str(error)) from error


def _look_whether_there(file: Path) -> None:
    """As `_make_ready`, and without making anything."""
    if not file.is_file():
        raise StoreUnusable("no_database", f"{file}: no such file")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        raise StoreUnusable("cannot_open", f"{file}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreUnusable("not_a_database", f"{file}: {error}") from error


def _json_value(text: str) -> JsonValue:
    """What `_json_text` wrote."""
    try:
        value: JsonValue = from_json(text)
    except ValueError:
        value = json.loads(text)
    return value


def _json_text(value: JsonValue) -> str:
    """A JSON column's text. Python's own writer takes five times as long; it is left what only it can write:
    halves of surrogate pairs, as escapes."""
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        return json.dumps(value)


def _read_only_engine(url: str, file: Path | None) -> AsyncEngine:
    """An engine that only reads. A file's has none of the pragmas: they are for who writes."""
    if file is None:
        return create_async_engine(url, pool_size=1).execution_options(postgresql_readonly=True)
    read_only = make_url(url).set(database=file.absolute().as_uri(), query={"mode": "ro", "uri": "true"})
    engine = create_async_engine(
        read_only,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None},
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
    )

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")  # as in `_engine`: the driver's own comes too late

    return engine


def _engine(url: str) -> AsyncEngine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(
            url, pool_size=5, pool_pre_ping=True, json_serializer=_json_text, json_deserializer=_json_value
        )
    # isolation_level None switches the driver's own transaction control off: it begins too late for a
    # consistent read, and never with the write lock that BEGIN IMMEDIATE takes before anything is read.
    # A database in memory is its connection: one, for which whoever comes second waits.
    pool: dict[str, int] = {"pool_size": 3}
    if _sqlite_file(url) is None:
        pool = {"pool_size": 1, "max_overflow": 0}
    engine = create_async_engine(
        url,
        json_serializer=_json_text,
        json_deserializer=_json_value,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None},
        poolclass=AsyncAdaptedQueuePool,
        **pool,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _set_pragmas(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(_READ, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
