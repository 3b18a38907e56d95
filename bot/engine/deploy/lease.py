"""The Guardian's side of a lease: while a canary carries traffic it is renewed every second or so, and when
that stops, whatever the reason, the watchdog (bot/tools/traffic/watchdog.py) takes the traffic back to Blue.

Renew it from the loop that judges the canary, not from a task beside it: a judge that hangs must lose it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.drivers import TrafficConfiguration
from bot.tools.traffic.leases import (
    Fence,
    Lease,
    Rolled,
    lease_file,
    read_rolled,
    rolled_file,
    sync_folder,
    write_file,
)

_PATIENCE = 1.0
"""seconds for the fence: the watchdog's last look takes far less, its acting takes the lease"""
_LOOK = 0.01


class LeaseLost(Exception):
    """The watchdog has taken the traffic back, or is about to: this run must not touch it again. `rolled` is
    what it has written down; None, or without a share, while it is at it."""

    def __init__(self, run: str, rolled: Rolled | None) -> None:
        super().__init__(f"the watchdog has taken {run} back" if rolled else f"the watchdog is at {run}")
        self.run = run
        self.rolled = rolled


class HeldLease:
    """A lease of ours. Its methods raise LeaseLost, and OSError when the folder can't be written: then it is
    not renewed, and lapses."""

    def __init__(self, folder: Path, lease: Lease) -> None:
        """Nothing is written yet: `take` does that."""
        self._folder = folder
        self._lease = lease

    @classmethod
    async def take(
        cls,
        folder: Path,
        run: str,
        traffic: TrafficConfiguration,
        b: int,
        seconds: float,
        slots: Mapping[Slot, Address] | None = None,
    ) -> HeldLease:
        """A lease for that run, also when it had one before a restart. From now on it has to be renewed. Take
        it before Green carries anything, and see that somebody watches the folder. Without the addresses of
        the `slots` the watchdog takes traffic back whether anybody is there or not."""
        await asyncio.to_thread(folder.mkdir, 0o700, True, True)
        counter = time.time_ns()  # unlike any before
        held = cls(folder, Lease(run, counter, seconds, traffic, b, slots))
        async with held._fenced(lasting=True):
            return held

    async def renew(self) -> None:
        """It holds for its `seconds` again."""
        async with self._fenced():
            pass

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[None]:
        """Renewed, and as long as the block runs the watchdog waits: every change of the traffic belongs into
        one, so that the two never act against each other. The block must end within its own time-outs: the
        watchdog waits for five seconds beyond the lease, no longer."""
        async with self._fenced():
            yield

    async def end(self) -> None:
        """The canary is over: nobody will act on this lease any more. Done again, nothing happens."""
        fence = await self._fence()
        try:
            self._check()
            await asyncio.to_thread(self._remove)
        finally:
            fence.release(remove=True)

    @asynccontextmanager
    async def _fenced(self, *, lasting: bool = False) -> AsyncIterator[None]:
        fence = await self._fence()
        try:
            self._check()
            its = self._lease
            self._lease = replace(its, counter=its.counter + 1)
            path = lease_file(self._folder, its.run)
            await asyncio.to_thread(write_file, path, self._lease.written(), lasting=lasting)
            yield
        finally:
            fence.release()

    async def _fence(self) -> Fence:
        latest = time.monotonic() + _PATIENCE
        while (fence := Fence.try_take(self._folder, self._lease.run)) is None:
            if time.monotonic() >= latest:
                raise LeaseLost(self._lease.run, read_rolled(self._folder, self._lease.run))
            await asyncio.sleep(_LOOK)
        return fence

    def _check(self) -> None:
        rolled = read_rolled(self._folder, self._lease.run)
        if rolled is not None:
            raise LeaseLost(self._lease.run, rolled)

    def _remove(self) -> None:
        lease_file(self._folder, self._lease.run).unlink(missing_ok=True)
        sync_folder(self._folder)


def forget(folder: Path, run: str) -> None:
    """Remove all that a run left behind, when it is over and told. Raises OSError."""
    for path in (rolled_file(folder, run), lease_file(folder, run), folder / f"fence-{run}"):
        path.unlink(missing_ok=True)
