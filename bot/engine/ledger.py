"""The only way to write: in one transaction when the database can, kept in memory until it can again.

A full disk must not stop the watch, and least of all the alert that says that the disk is full.
So what cannot be written now is kept in order, acted upon, and written as soon as that works.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from bot.engine.clock import Clock
from bot.store.changes import Change
from bot.store.errors import Stale, StoreUnavailable
from bot.store.store import Store

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2.0


class Ledger:
    """Writes changes in the order they come.

    `problem` is the database's sentence while it cannot be written, None while it can.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        on_down: Callable[[str], None] = lambda detail: None,
        on_back: Callable[[datetime, int], None] = lambda since, kept: None,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self.store = store
        self.problem: str | None = None
        self._clock = clock
        self._on_down = on_down
        self._on_back = on_back
        self._retry_seconds = retry_seconds
        self._down_since: datetime | None = None
        self._backlog: deque[tuple[Change, ...]] = deque()
        self._lock = asyncio.Lock()
        self._down = asyncio.Event()

    @property
    def kept(self) -> int:
        """How many transactions wait in memory."""
        return len(self._backlog)

    async def write(self, changes: Sequence[Change]) -> None:
        """Write `changes` as one transaction, now or, when the database cannot, as soon as it can.

        Raises Stale when written now against a version that is no longer there.
        """
        if not changes:
            return
        async with self._lock:
            if self._backlog:
                self._backlog.append(tuple(changes))
                return
            try:
                await self.store.write(changes)
            except StoreUnavailable as error:
                self._backlog.append(tuple(changes))
                self._went_down(error.detail)

    async def run(self) -> None:
        """Write what was kept, again and again, for ever."""
        while True:
            await self._down.wait()
            await asyncio.sleep(self._retry_seconds)
            await self.flush()

    async def flush(self) -> bool:
        """Try to write everything kept; whether nothing is kept any more."""
        async with self._lock:
            written = 0
            while self._backlog:
                try:
                    await self.store.write(self._backlog[0])
                except StoreUnavailable as error:
                    self.problem = error.detail
                    return False
                except Stale as error:
                    # Somebody changed it while we could not write; theirs is the truth.
                    log.warning("kept_change_is_stale", alert=error.alert_id)
                self._backlog.popleft()
                written += 1
            self._came_back(written)
            return True

    def _went_down(self, detail: str) -> None:
        self.problem = detail
        self._down_since = self._clock()
        self._down.set()
        log.error("store_cannot_be_written", detail=detail)
        self._on_down(detail)

    def _came_back(self, written: int) -> None:
        if self._down_since is None:
            return
        since, self._down_since, self.problem = self._down_since, None, None
        self._down.clear()
        log.info("store_can_be_written_again", kept=written)
        self._on_back(since, written)
