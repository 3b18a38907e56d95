"""From the driver's errors to the store's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.store.errors import StoreUnavailable, StoreUnusable

NOT_A_DATABASE = "file is not a database"
"""SQLite's words for a file that is something else."""


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns the driver's errors into the store's. What breaks a constraint or cannot be bound stays as it is:
    that is a bug in the caller."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("all connections are in use") from error
    except (DBAPIError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        if NOT_A_DATABASE in lines[0]:
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
