"""A database on SQLite, where the kind of database makes no difference."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.engine.support import Disk


@pytest.fixture
async def small(tmp_path: Path, disk: Disk) -> AsyncIterator[Database]:
    """A new database on SQLite, whose disk can fail."""
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    yield database
    await database.close()
