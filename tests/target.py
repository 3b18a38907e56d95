"""A web address that a probe checks: good, bad or silent, as the test has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.ports import free_port


@dataclass
class Target:
    """What it answers, and how often it was asked."""

    port: int
    status: int = 200
    hangs: bool = False
    asked: int = 0
    decide: Callable[[web.Request], int] | None = None
    """the status of each answer, where it is not always the same"""
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/health"

    async def answer(self, request: web.Request) -> web.Response:
        """One answer."""
        self.asked += 1
        if self.hangs:
            await self._released.wait()
        return web.Response(status=self.status if self.decide is None else self.decide(request), text="ok")

    @classmethod
    @asynccontextmanager
    async def serving(cls) -> AsyncIterator[Target]:
        """A target for as long as the block runs."""
        target = cls(free_port())
        app = web.Application()
        app.router.add_get("/health", target.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", target.port).start()
            yield target
        finally:
            target._released.set()
            await runner.cleanup()
