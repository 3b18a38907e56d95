"""Sees to it that what is due happens: pages, ends of acknowledgements and covers, storms.

Every deadline is a row, so that a restart finds it again. Here they are only looked at, twice a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.domain.alerts.covers import CoverKind
from bot.domain.alerts.model import Alert
from bot.engine.clock import Clock, StepsBack
from bot.engine.desk import DUE_AT_ONCE, AlertDesk

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
COVERS_EVERY = timedelta(seconds=5)
"""How often alerts are looked at that an open alert elsewhere keeps quiet: no moment is known for its end."""
_MOST_ROUNDS = 100
STEP = timedelta(seconds=2)
"""A smaller step back of the clock is not worth a move."""


class Deadlines:
    """Looks at the deadlines of the alert desk, for ever."""

    def __init__(
        self,
        desk: AlertDesk,
        clock: Clock,
        covers_version: Callable[[], int] = lambda: 0,
        next_change: Callable[[datetime], datetime | None] = lambda now: None,
    ) -> None:
        """`covers_version` is another one whenever silences, windows or the like have changed; `next_change`
        tells when they change next by time alone."""
        self._desk = desk
        self._clock = clock
        self._covers_version = covers_version
        self._seen_version = covers_version()
        self._next_change = next_change
        self._changes_at: datetime | None = None
        self._covers_at: datetime | None = None
        self._steps = StepsBack(STEP)
        self.looked_at: datetime | None = None
        """when the last look was over: an old one means that pages may be late"""

    async def run(self) -> None:
        """Look, again and again."""
        while True:
            try:
                await self.look(asyncio.get_running_loop().time())
            except Exception:  # one look that failed must not end the paging: the next one comes at once
                log.exception("deadlines_not_looked_at")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, monotonic: float) -> None:
        """Do what is due. `monotonic` are seconds of a clock that nobody sets."""
        await self._follow_clock(monotonic)
        for _ in range(_MOST_ROUNDS):
            if await self._desk.tick() < DUE_AT_ONCE:
                break
            await asyncio.sleep(0)  # checks and clicks have their turn in between
        await self._look_at_covers()
        self.looked_at = self._clock()

    async def _follow_clock(self, monotonic: float) -> None:
        """Move all deadlines along when the clock steps back: what was due in five minutes still is."""
        step = self._steps.since_last(self._clock(), monotonic)
        if step is not None:
            await self._desk.clock_stepped(step)

    async def _look_at_covers(self) -> None:
        now, version = self._clock(), self._covers_version()
        begun_or_over = self._changes_at is not None and self._changes_at <= now
        if version != self._seen_version or begun_or_over:
            self._seen_version, self._covers_at = version, now
            await self._desk.look_again()
        elif self._covers_at is None or not timedelta(0) <= now - self._covers_at < COVERS_EVERY:
            self._covers_at = now
            await self._desk.look_again(_inhibited)
        self._changes_at = self._next_change(now)


def _inhibited(alert: Alert) -> bool:
    return alert.cover is not None and alert.cover.kind is CoverKind.INHIBITED
