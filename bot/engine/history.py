"""The history of readings: thinned, buffered, written now and then, deleted when old."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from bot.engine.clock import Clock
from bot.store.errors import StoreError
from bot.store.store import Store
from probes.base import Reading

log = structlog.get_logger(__name__)

SPACING = timedelta(seconds=30)
FLUSH_SECONDS = 10.0
KEEP_READINGS = timedelta(days=7)
KEEP_LETTERS = timedelta(days=90)
PRUNE_EVERY = timedelta(hours=1)
_AT_MOST = 20_000


class History:
    """Keeps at most one reading of a series every 30 s, for a week: enough for charts and trends.

    History is not worth an alert's life: while the database cannot be written the newest 20,000 readings
    wait in memory, and those of the last ten seconds are lost by a crash. What it can never take is dropped.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._buffer: deque[tuple[str, Reading]] = deque(maxlen=_AT_MOST)
        self._last: dict[tuple[str, str], datetime] = {}
        self._pruned_at: datetime | None = None

    def add(self, source: str, readings: Sequence[Reading]) -> None:
        """Take readings in; those too close to the last of their series are left out."""
        for reading in readings:
            series = (reading.metric, reading.target)
            last = self._last.get(series)
            if last is None or not timedelta(0) <= reading.at - last < SPACING:
                self._last[series] = reading.at
                self._buffer.append((source, reading))

    def waiting(self, metric: str, target: str) -> list[tuple[datetime, float | None]]:
        """What has been taken in of one series and is not written yet, oldest first."""
        return [
            (reading.at, reading.value)
            for _, reading in self._buffer
            if reading.metric == metric and reading.target == target
        ]

    async def run(self) -> None:
        """Write and prune, for ever."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what is buffered; it stays buffered when the database cannot be written."""
        # Taken out first: what comes in meanwhile may push the oldest out of a full buffer.
        rows, self._buffer = list(self._buffer), deque(maxlen=_AT_MOST)
        try:
            await self._store.add_readings(rows)
        except BaseException as error:  # whatever it is, cancelled too, the readings go back
            never = isinstance(error, Exception) and not isinstance(error, StoreError)
            if not never:
                self._buffer = deque([*rows, *self._buffer], maxlen=_AT_MOST)
            if isinstance(error, StoreError):
                log.debug("history_not_written", detail=str(error))
            elif never:
                # It would be refused at the next try as well, and readings must not end the watch.
                log.exception("history_cannot_be_written", readings=len(rows))
            else:
                raise
            return
        try:
            await self._prune()
        except StoreError as error:
            log.debug("history_not_pruned", detail=str(error))

    async def _prune(self) -> None:
        now = self._clock()
        if self._pruned_at is not None and timedelta(0) <= now - self._pruned_at < PRUNE_EVERY:
            return
        deleted = await self._store.prune(now - KEEP_READINGS, now - KEEP_LETTERS)
        self._pruned_at = now
        if deleted:
            log.info("old_rows_deleted", rows=deleted)
