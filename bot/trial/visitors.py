"""Visitors of the trial's shop: some hundred people with a cookie each, as browsers keep it, who ask for the
page or the items of it, some thirty requests a second in all, fewer while the machine is busy.

They are no measurement: the load balancer counts, and its log tells how long requests took.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from bot.trial.pace import Pace

PEOPLE = 300
_TARGETS = "/", "/", "/api/items"
_AT_ONCE = 20
"""requests under way; whoever comes then goes away again"""
_PATIENCE = 10.0
_LARGEST = 64 * 1024


@dataclass
class Visitors:
    """All of them."""

    port: int
    chance: random.Random
    requests: int = 0
    failures: int = 0
    _cookies: list[str] = field(default_factory=lambda: [""] * PEOPLE)
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def visit(self, count: int | None = None) -> None:
        """Come and go for ever, or until `count` requests were answered."""
        loop = asyncio.get_running_loop()
        pace, sent = Pace(), 0
        try:
            while count is None or sent < count:
                seconds = self.chance.expovariate(pace.rate)
                due = loop.time() + seconds
                await asyncio.sleep(seconds)
                pace = pace.after(loop.time() - due)
                if len(self._under_way) < _AT_ONCE:
                    sent += 1
                    task = asyncio.create_task(self._ask(self.chance.randrange(PEOPLE)))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)
            if self._under_way:
                await asyncio.wait(self._under_way)
        finally:
            await self._go_home()

    async def _go_home(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _ask(self, person: int) -> None:
        self.requests += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                good = await self._exchange(person)
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            good = False  # (a time-out is an OSError)
        self.failures += not good

    async def _exchange(self, person: int) -> bool:
        """Whether the answer is a good one."""
        reader, writer = self._idle.pop() if self._idle else await self._connect()
        goes_on = False
        try:
            cookie = self._cookies[person]
            sent = f"Cookie: {cookie}\r\n" if cookie else ""
            path = self.chance.choice(_TARGETS)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{sent}\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = 0
            for line in head.split("\r\n"):
                name, _, value = line.partition(": ")
                if name.lower() == "content-length":
                    length = min(int(value), _LARGEST)
                elif name.lower() == "set-cookie":
                    self._cookies[person] = value.partition(";")[0]
            await reader.readexactly(length)
            goes_on = "connection: close" not in head.lower()
            return head.startswith("HTTP/1.1 2")
        finally:
            if goes_on:
                self._idle.append((reader, writer))
            else:
                writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=_LARGEST)
