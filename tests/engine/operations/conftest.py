"""A yard on a database of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.engine.operations.jobs import Yard, open_yard
from tests.engine.support import SetClock


@pytest.fixture
async def yard(database: Database, tmp_path: Path, clock: SetClock) -> AsyncIterator[Yard]:
    """A desk with the operation `chest`."""
    async with open_yard(database, tmp_path / "chest", clock) as opened:
        yield opened
