"""The stage that these tests play on, and the same in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.workspace.server import Running
from tests.ports import free_port
from tests.process import Process, configuration, environment
from tests.stages import idle, slack, stage
from tests.target import Target

__all__ = ["guardian", "idle", "slack", "stage", "target"]


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    """The web address that the Guardian of `guardian` watches."""
    async with Target.serving() as serving:
        yield serving


@pytest.fixture
async def guardian(slack: Running, target: Target, tmp_path: Path) -> AsyncIterator[Process]:
    """A Guardian that the test starts; killed at the end if it still runs."""
    process = Process(tmp_path, configuration(tmp_path, free_port(), target.url), environment(slack))
    yield process
    if process.process is not None:
        await process.kill()
