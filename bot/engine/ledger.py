"""The only way to write: in one transaction when the database can, kept in memory until it can again.

A full disk must not stop the watch, and least of all the alert that says that the disk is full.
So what cannot be written now is kept in order, acted upon, and written as soon as that works.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from bot.engine.backlog import Backlog, expected_versions, without
from bot.engine.clock import Clock
from bot.store.changes import Change
from bot.store.errors import Stale, StoreError, StoreUnavailable
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
        self._written = 0
        self._backlog = Backlog()
        self._lock = asyncio.Lock()
        self._flushing = asyncio.Lock()
        self._down = asyncio.Event()

    @property
    def kept(self) -> int:
        """How many transactions wait in memory."""
        return len(self._backlog)

    async def write(self, changes: Sequence[Change]) -> None:
        """Write `changes` as one transaction, now or, when the database cannot, as soon as it can.

        Raises Stale when written now against a version that is no longer there, and the driver's error for
        what could never be written.
        """
        if not changes:
            return
        async with self._lock:
            if self._backlog:
                self._backlog.add(changes)
                return
            try:
                await self.store.write(changes)
            except Stale:
                raise
            except StoreError as error:
                self._backlog.add(changes)
                self._went_down(_detail(error))

    async def run(self) -> None:
        """Write what was kept, again and again, for ever."""
        while True:
            await self._down.wait()
            await asyncio.sleep(self._retry_seconds)
            await self.flush()

    async def flush(self) -> bool:
        """Try to write everything kept; whether nothing is kept any more."""
        # Not under the lock of `write`: while something is kept, others only add to it and need not wait
        # for a database that may take half a minute to refuse.
        async with self._flushing:
            while self._backlog:
                changes = self._backlog.first()
                try:
                    rest = await self._try(changes)
                    if rest:
                        self._backlog.replace_first(rest)
                        continue
                except StoreError as error:
                    self.problem = _detail(error)
                    return False
                except Exception:  # it will never be written, and what was kept after it must be
                    log.exception("kept_change_cannot_be_written", changes=repr(changes)[:500])
                self._backlog.drop_first()
                self._written += 1
            self._came_back()
            return True

    async def _try(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Write a kept transaction, or give what is left of it, if somebody changed alerts of it while we
        could not write: theirs is the truth, but what else was kept with them is written all the same."""
        try:
            await self.store.write(changes)
        except Stale as error:
            expected = expected_versions(changes)
            known = {number: await self.store.alert(number) for number in error.alert_ids}
            # Of those that are named some may only have been in doubt.
            stale = [
                number
                for number, alert in known.items()
                if (None if alert is None else alert.version) != expected.get(number)
            ]
            log.warning("kept_changes_are_stale", alerts=stale[:20])
            rest = without(changes, stale or error.alert_ids)
            return rest if len(rest) < len(changes) else ()
        return ()

    def _went_down(self, detail: str) -> None:
        self.problem = detail
        self._down_since = self._clock()
        self._down.set()
        log.error("store_cannot_be_written", detail=detail)
        self._on_down(detail)

    def _came_back(self) -> None:
        if self._down_since is None:
            return
        written, self._written = self._written, 0
        since, self._down_since, self.problem = self._down_since, None, None
        self._down.clear()
        log.info("store_can_be_written_again", kept=written)
        self._on_back(since, written)


def _detail(error: StoreError) -> str:
    return error.detail if isinstance(error, StoreUnavailable) else str(error)
