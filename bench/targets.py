"""Web addresses to check, which can be made to fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(slots=True)
class Targets:
    """A server whose addresses `url/NAME` answer 200, or 500 while NAME is bad."""

    url: str = ""
    bad: set[str] = field(default_factory=set)
    asked: int = 0
    """requests answered"""
    asked_at: dict[str, float] = field(default_factory=dict)
    """the monotonic moment of each address's last request"""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def next_request(self, name: str) -> float:
        """Wait for the next request to that address; its moment."""
        before = self.asked_at.get(name)
        async with asyncio.timeout(30):
            while self.asked_at.get(name) == before:
                self._news.clear()
                await self._news.wait()
        return self.asked_at[name]

    async def answer(self, request: web.Request) -> web.Response:
        """One check."""
        name = request.match_info["name"]
        self.asked += 1
        self.asked_at[name] = time.monotonic()
        self._news.set()
        return web.Response(status=500 if name in self.bad else 200, text="ok")


@asynccontextmanager
async def serve_targets() -> AsyncIterator[Targets]:
    """Listen on a free loopback port until the block ends; connections are kept open."""
    targets = Targets()
    application = web.Application()
    application.router.add_get("/{name}", targets.answer)
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=120, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        targets.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield targets
    finally:
        await runner.cleanup()
