"""Work that can wait for what is urgent: finding and sending an answer after its acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog

log = structlog.get_logger(__name__)

_AT_ONCE = 32
"""answers under way at the same time; more would only open more connections"""
_URGENT_STEPS = 8
"""Turns of the event loop that an envelope needs from the socket to its acknowledgement, with some to spare:
each piece of work lets so many pass before it begins, so that it delays no acknowledgement that is near."""


class Background:
    """Runs work in the background and keeps hold of it: asyncio by itself would let unfinished work go."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._turn = asyncio.Lock()

    def start(self, what: str, work: Coroutine[None, None, None]) -> None:
        """Do `work` soon. An error in it is logged under `what`."""
        task = asyncio.create_task(self._do(work), name=what)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def turn(self) -> None:
        """Wait until nothing urgent is near; call it before anything that keeps the processor busy."""
        async with self._turn:  # one at a time: those who wait together would also go on together
            for _ in range(_URGENT_STEPS):
                await asyncio.sleep(0)

    async def _do(self, work: Coroutine[None, None, None]) -> None:
        async with self._places:
            await self.turn()
            await work

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("answer_failed", what=task.get_name(), exc_info=task.exception())

    async def close(self, seconds: float) -> None:
        """Wait `seconds` for what is under way, and give up what is not done then."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=seconds)
