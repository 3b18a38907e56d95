"""A canary's lease: while it is renewed the watchdog keeps still, and when it lapses traffic goes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import structlog

from bot.domain.deploy.slots import Slot
from bot.engine.deploy.lease import HeldLease, LeaseLost, forget
from bot.engine.deploy.site import Site
from bot.engine.operations.contract import StepFailed
from bot.tools.traffic.guarding import NobodyWatches, ensure_watchdog
from bot.tools.traffic.leases import read_rolled

log = structlog.get_logger(__name__)

_SEE_EVERY, _SEE_WITHIN = 2.0, 1.0
"""seconds between two looks whether a watchdog is there, and for a new one, while which nobody renews"""


class Leases:
    """Those of this Guardian, in a folder that a watchdog looks at."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[int, HeldLease] = {}

    @asynccontextmanager
    async def kept(self, run: int, site: Site, b: int | None) -> AsyncIterator[KeptLease]:
        """A run's lease, and somebody who watches it: a watchdog is started if there is none. It has to be
        renewed from now on, until `end`; the block's end leaves it as it is. `b`: the share of slot b that
        means that all is back at Blue; None where there is nothing to go back to, and so nothing to watch.
        Raises StepFailed: `watchdog` when it is lost, `watchdog_absent`."""
        if b is None:
            yield KeptLease(None, self._folder)
            return
        try:
            held = self._held[run] = await self._take(run, site, b)
            if await ensure_watchdog(self._folder):
                log.info("watchdog_started", folder=str(self._folder))
        except LeaseLost:
            raise StepFailed("watchdog") from None
        except NobodyWatches as nobody:
            raise StepFailed("watchdog_absent", detail=nobody.detail) from None
        except OSError as error:
            raise StepFailed("watchdog_absent", detail=error.strerror or str(error)) from None
        yield KeptLease(held, self._folder)

    async def end(self, run: int, site: Site, b: int) -> None:
        """The canary is over, and nothing is to be taken back any more. Raises StepFailed (`watchdog`) when
        it has been."""
        try:
            held = self._held.get(run)
            if held is None:  # taken before a restart
                held = await self._take(run, site, b)
            await held.end()
        except LeaseLost:
            raise StepFailed("watchdog") from None
        except OSError as error:
            # It lapses, and a release that has passed would be taken back: nobody may believe it is over.
            raise StepFailed("watchdog_absent", detail=error.strerror or str(error)) from None
        self._held.pop(run, None)

    async def rolled_at(self, run: int) -> datetime | None:
        """When the watchdog had all of a run's traffic back; None where it had not, or that cannot be
        read."""
        try:
            rolled = await asyncio.to_thread(read_rolled, self._folder, _name(run))
            at = None if rolled is None or rolled.share is None else datetime.fromisoformat(rolled.at)
        except (OSError, ValueError) as error:
            log.warning("rolled_unreadable", run=run, detail=str(error))
            return None
        return None if at is None or at.tzinfo is None else at

    async def _take(self, run: int, site: Site, b: int) -> HeldLease:
        seconds = site.environment.lease.total_seconds()
        slots = {slot: site.address(slot) for slot in Slot}
        return await HeldLease.take(self._folder, _name(run), site.configuration, b, seconds, slots)

    async def forget(self, run: int) -> None:
        """All traffic is back, whoever did it: there is nothing to watch any more."""
        self._held.pop(run, None)
        try:
            await asyncio.to_thread(forget, self._folder, _name(run))
        except OSError as error:
            log.warning("lease_not_forgotten", run=run, detail=str(error))


class KeptLease:
    """One that is being renewed; None: nobody watches, and none is lost."""

    def __init__(self, held: HeldLease | None, folder: Path) -> None:
        self._held = held
        self._folder = folder
        self._seen_at = time.monotonic()

    async def is_lost(self) -> bool:
        """Renew it now; whether the watchdog has taken traffic back. From the loop that judges: one that
        hangs must lose it."""
        if self._held is None:
            return False
        await self._see_watchdog()
        try:
            await self._held.renew()
        except LeaseLost:
            return True
        except OSError as error:  # not renewed, it lapses: the watchdog decides
            log.warning("lease_not_renewed", detail=str(error))
        return False

    async def _see_watchdog(self) -> None:
        """Start another one when it has died: a stage may last for hours. That none can be started is no
        reason to take a good release back; it is tried again."""
        now = time.monotonic()
        if now - self._seen_at < _SEE_EVERY:
            return
        self._seen_at = now
        try:
            if await ensure_watchdog(self._folder, within=_SEE_WITHIN):
                log.warning("watchdog_started_anew", folder=str(self._folder))
        except (NobodyWatches, OSError) as error:
            log.warning("nobody_watches", folder=str(self._folder), detail=str(error))

    @asynccontextmanager
    async def moving(self) -> AsyncIterator[None]:
        """Renewed, and the watchdog waits meanwhile: traffic is moved in such a block. Raises StepFailed
        (`watchdog`) when it is lost."""
        if self._held is None:
            yield
            return
        try:
            async with self._held.guarded():
                yield
        except LeaseLost:
            raise StepFailed("watchdog") from None
        except OSError as error:
            raise StepFailed("watchdog_absent", detail=error.strerror or str(error)) from None


def _name(run: int) -> str:
    return f"run-{run}"
