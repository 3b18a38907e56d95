"""Deployments without a watchdog."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.engine.deploy.leases import KeptLease, Leases
from bot.engine.deploy.site import Site


class Unwatched(Leases):
    """Leases that nobody looks at, and so nobody keeps."""

    def __init__(self) -> None:
        super().__init__(Path())

    @asynccontextmanager
    async def kept(self, run: int, site: Site, b: int | None) -> AsyncIterator[KeptLease]:
        """None."""
        yield _NoLease()

    async def end(self, run: int, site: Site, b: int) -> None:
        """There is none."""

    async def forget(self, run: int) -> None:
        """There is none."""


class _NoLease(KeptLease):
    def __init__(self) -> None:
        pass

    async def is_lost(self) -> bool:
        return False

    @asynccontextmanager
    async def moving(self) -> AsyncIterator[None]:
        yield
