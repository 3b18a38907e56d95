"""A door on a real port, and knocking at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO

import aiohttp
from aiohttp import web
from pydantic import JsonValue

from bot.web.listen import listen

SECRET = "a secret of the tests"


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    body: dict[str, JsonValue]
    headers: dict[str, str]

    @property
    def error(self) -> str:
        """The sentence that says why."""
        return str(self.body["error"])


@dataclass(frozen=True)
class Knocker:
    """Somebody who sends requests to a door."""

    session: aiohttp.ClientSession
    port: int

    async def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        secret: str | None = SECRET,
        **headers: str,
    ) -> Answered:
        """One request; the answer. Underscores in the names of headers become dashes."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if secret is not None:
            sent.setdefault("Authorization", f"Bearer {secret}")
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(
            method, url, data=None if body is None else BytesIO(body), headers=sent
        ) as answer:
            is_json = answer.content_type == "application/json" and method != "HEAD"
            return Answered(answer.status, await answer.json() if is_json else {}, dict(answer.headers))


@asynccontextmanager
async def at_door(application: web.Application) -> AsyncIterator[Knocker]:
    """Open a door for as long as the block runs."""
    runner = await listen(application, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            yield Knocker(session, runner.addresses[0][1])
    finally:
        await runner.cleanup()
