"""Opening the database: connections, pragmas, transactions, migrations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.store.errors import StoreUnavailable, StoreUnusable
from bot.store.leadership import Leadership
from bot.store.schema import migrate

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT_SECONDS = 30

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
        engine = _engine(url)
        database = cls(engine)
        try:
            async with database.begin() as connection:
                await migrate(connection)
        except StoreUnavailable as error:
            await engine.dispose()
            if _CANNOT_OPEN in error.detail:
                raise StoreUnusable("cannot_open", f"{engine.url.database}: {error.detail}") from error
            raise
        except BaseException:
            await engine.dispose()
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
        with _store_errors():
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that reads one consistent state and waits for no writer."""
        with _store_errors():
            async with self._reader.connect() as connection:
                yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


@contextmanager
def _store_errors() -> Iterator[None]:
    """Turns the driver's errors into the store's. What breaks a constraint or cannot be bound stays as it is:
    that is a bug in the caller."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("all connections are in use") from error
    except (DBAPIError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        if "file is not a database" in lines[0]:
            raise StoreUnusable("not_a_database", lines[0]) from error
        if _is_the_database(error):
            raise StoreUnavailable(lines[0]) from error
        raise


def _is_the_database(error: DBAPIError | OSError) -> bool:
    """Whether the database is at fault, not the statement."""
    if isinstance(error, OSError) or error.connection_invalidated:
        return True
    # InternalError: PostgreSQL's standby takes no writes. DatabaseError itself: a damaged SQLite file.
    return (
        isinstance(error, OperationalError | InternalError | InterfaceError) or type(error) is DatabaseError
    )


def _engine(url: str) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=5, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        _make_directory(Path(parsed.database).parent)
    # isolation_level None switches the driver's own transaction control off: it begins too late for a
    # consistent read, and never with the write lock that BEGIN IMMEDIATE takes before anything is read.
    engine = create_async_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None}, pool_size=3
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _set_pragmas(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(_READ, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable("no_directory", f"{path}: {error.strerror}") from error
