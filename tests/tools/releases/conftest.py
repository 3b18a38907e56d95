"""A kit for each driver, with nothing of it left running afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.deploy.slots import Slot
from tests.tools.releases.kits import KITS, Kit


@pytest.fixture(params=list(KITS))
async def kit(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kit]:
    """The same tests with every driver."""
    made = KITS[request.param](tmp_path)
    yield made
    for slot in Slot:
        await made.driver.stop(slot)
