"""Fixtures of a stage, for all tests of the whole Guardian."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.slack.manifest import manifest
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED
from tests.people import ALERTS, OPS
from tests.stage import Stage


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[Running]:
    """A workspace with the Guardian's app installed, without rate limits."""
    async with serve(
        tmp_path / "slack", manifest=manifest(), channels=[ALERTS, OPS, "general"], rate_limits=UNLIMITED
    ) as running:
        yield running


@pytest.fixture
async def idle(slack: Running, tmp_path: Path) -> AsyncIterator[Stage]:
    """A Guardian that the test starts itself."""
    prepared = Stage.prepared(slack, tmp_path)
    yield prepared
    await prepared.slack.faults.clear()
    await prepared.stop()


@pytest.fixture
async def stage(idle: Stage) -> Stage:
    """A Guardian on watch."""
    await idle.start()
    return idle
