"""The look at what is not over, again and again: plans expire, what waits starts, cards are drawn again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog

from bot.domain.operations.approval import OPEN
from bot.engine.operations.live import LiveWork
from bot.engine.operations.moves import Moves
from bot.engine.operations.starter import Starter
from bot.store.errors import StoreUnavailable
from bot.store.operations import OperationStore

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 1.0
_DRAW_SECONDS = 2.0
"""between two drawings of a card while a step tells how far it is"""
_CLOSE_SECONDS = 1.0


class Looking:
    """`run` must run; while nothing is open it sleeps until `wake`."""

    def __init__(
        self,
        store: OperationStore,
        starter: Starter,
        moves: Moves,
        running: Callable[[], Mapping[int, LiveWork]],
    ) -> None:
        """`running`: the steps that are under way, by operation."""
        self._store = store
        self._starter = starter
        self._moves = moves
        self._running = running
        self._wake = asyncio.Event()
        self._quiet = False
        """nothing is open, as far as this process knows: there is nothing to look for"""
        self._closing = False
        self._over = asyncio.Event()
        self._over.set()
        self._undrawn: set[int] = set()
        self._progress: dict[int, int] = {}
        """how often a step had told how far it is when its card was last drawn"""

    def wake(self) -> None:
        """Something has changed that somebody may be waiting for."""
        self._quiet = False
        self._wake.set()

    def changed(self, number: int) -> None:
        """Something of that operation has changed: its card is drawn again."""
        self._undrawn.add(number)
        self.wake()

    async def run(self) -> None:
        """Look, until `close`."""
        self._over.clear()
        try:
            await self._keep_looking()
        finally:
            self._over.set()

    def end(self) -> None:
        """The look that is under way is the last."""
        self._closing = True
        self.wake()

    async def close(self) -> None:
        """Wait a little until the last look is over."""
        self.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._over.wait()

    async def _keep_looking(self) -> None:
        drawn = 0.0
        while not self._closing:
            self._wake.clear()
            try:
                await self._look()
                now = asyncio.get_running_loop().time()
                if now - drawn >= _DRAW_SECONDS:
                    drawn = now
                    self._mark_progress()
                await self._draw()
            except StoreUnavailable as error:
                log.warning("operations_not_looked_at", detail=error.detail)
            except Exception:  # one look that failed must not be the last
                log.exception("operations_not_looked_at")
            with suppress(TimeoutError):
                async with asyncio.timeout(None if self._quiet else _LOOK_SECONDS):
                    await self._wake.wait()

    async def _look(self) -> None:
        found = await self._store.open()
        await self._starter.look(found)
        self._quiet = not found and not self._undrawn

    def _mark_progress(self) -> None:
        running = self._running()
        for number, work in running.items():
            if self._progress.get(number) != work.seen:
                self._progress[number] = work.seen
                self._undrawn.add(number)
        for number in self._progress.keys() - running.keys():
            del self._progress[number]

    async def _draw(self) -> None:
        numbers, self._undrawn = self._undrawn, set()
        for number in sorted(numbers):
            record = await self._store.get(number)
            if record is not None and record.state in OPEN:
                await self._moves.draw(number)
