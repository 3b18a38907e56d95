"""A real HTTP server that Apprise's `json://` posts to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import SecretStr

from bot.web.listen import listen


@dataclass
class Inbox:
    """What has arrived, and how it answers: with `status`, or not at all."""

    port: int = 0
    status: int = 200
    silent: bool = False
    titles: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> SecretStr:
        """Its address for Apprise, with a user and a password."""
        return SecretStr(f"json://hansol:geheim123@127.0.0.1:{self.port}/pfad-geheim")

    async def receive(self, request: web.Request) -> web.Response:
        """Take a message."""
        assert request.headers["Authorization"].startswith("Basic ")
        message = await request.json()
        if self.silent:
            await self.released.wait()
        if self.status == 200:
            self.titles.append(message["title"])
            self.texts.append(message["message"])
        return web.Response(status=self.status)


@asynccontextmanager
async def open_inbox() -> AsyncIterator[Inbox]:
    """An inbox for as long as the block runs."""
    inbox = Inbox()
    application = web.Application()
    application.router.add_post("/pfad-geheim", inbox.receive)
    runner = await listen(application, "127.0.0.1", 0)
    inbox.port = runner.addresses[0][1]
    try:
        yield inbox
    finally:
        inbox.released.set()
        await runner.cleanup()
