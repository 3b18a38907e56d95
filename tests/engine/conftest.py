"""A store whose disk can fail, and a clock that is set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.store.database import Database
from bot.store.store import Store
from tests.engine.support import Disk, SetClock


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[EventDict]]:
    """What is logged. Kept and not printed: a traceback in colours takes seconds."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def clock() -> SetClock:
    """A clock that is set."""
    return SetClock()


@pytest.fixture
def disk() -> Iterator[Disk]:
    """What lies beneath the databases of the test."""
    with Disk().beneath_every_transaction() as disk:
        yield disk


@pytest.fixture
async def database(store_url: str, disk: Disk) -> AsyncIterator[Database]:
    """A new database whose disk can fail."""
    database = await Database.open(store_url)
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> Store:
    """A new store, on each kind of database."""
    return Store(database)


@pytest.fixture
async def small_store(tmp_path: Path, disk: Disk) -> AsyncIterator[Store]:
    """A new store on SQLite, where the kind of database makes no difference."""
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    yield Store(database)
    await database.close()
