"""A database of each kind, and a yard on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.engine.operations.jobs import Yard, open_yard
from tests.engine.support import Disk, SetClock


@pytest.fixture
async def database(store_url: str, disk: Disk) -> AsyncIterator[Database]:
    """A new database whose disk can fail."""
    database = await Database.open(store_url)
    yield database
    await database.close()


@pytest.fixture
async def yard(database: Database, tmp_path: Path, clock: SetClock) -> AsyncIterator[Yard]:
    """A desk with the operation `chest`."""
    async with open_yard(database, tmp_path / "chest", clock) as opened:
        yield opened
