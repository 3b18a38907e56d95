"""An open store on each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.store.database import Database
from bot.store.store import Store


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    """A new database with its schema."""
    database = await Database.open(store_url)
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> Store:
    """A new store."""
    return Store(database)
