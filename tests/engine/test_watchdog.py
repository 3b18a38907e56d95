"""Heartbeat out, to a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from structlog.typing import EventDict

from bot.engine.watchdog import Watchdog
from bot.web.listen import listen
from tests.engine.support import SetClock, until


@dataclass
class Outside:
    """A server outside, which may answer badly or not at all."""

    status: int = 200
    silent: bool = False
    calls: int = 0
    port: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        """Count a call."""
        self.calls += 1
        if self.silent:
            await self.released.wait()
        return web.Response(status=self.status)

    @property
    def url(self) -> SecretStr:
        """Its address, which is a secret."""
        return SecretStr(f"http://127.0.0.1:{self.port}/geheim")


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    """A server that answers well at first."""
    outside = Outside()
    application = web.Application()
    application.router.add_get("/geheim", outside.answer)
    runner = await listen(application, "127.0.0.1", 0)
    outside.port = runner.addresses[0][1]
    yield outside
    outside.released.set()
    await runner.cleanup()


@dataclass
class Watch:
    """A watchdog and what it tells."""

    watchdog: Watchdog
    told: list[tuple[str, str, datetime]]
    problems: list[str]


@pytest.fixture
async def watch(outside: Outside, clock: SetClock) -> AsyncIterator[Watch]:
    """A watchdog that calls it."""
    told: list[tuple[str, str, datetime]] = []
    problems: list[str] = []
    async with aiohttp.ClientSession() as session:
        watchdog = Watchdog(
            session,
            outside.url,
            timedelta(milliseconds=10),
            [lambda now: problems[0] if problems else None],
            clock,
            on_failing=lambda problem, since: told.append(("failing", problem, since)),
            on_back=lambda problem, since: told.append(("back", problem, since)),
            patience=0.3,
        )
        yield Watch(watchdog, told, problems)


async def test_it_calls_again_and_again_while_all_is_well(watch: Watch, outside: Outside) -> None:
    calling = asyncio.create_task(watch.watchdog.run())
    await until(lambda: outside.calls >= 3)
    calling.cancel()
    assert watch.told == []


async def test_it_stops_while_something_is_wrong_with_the_guardian(watch: Watch, outside: Outside) -> None:
    assert await watch.watchdog.call()
    watch.problems.append("ladder_late")
    assert not await watch.watchdog.call()
    assert outside.calls == 1
    watch.problems.clear()
    assert await watch.watchdog.call()
    assert outside.calls == 2
    assert watch.told == []


async def test_the_first_failure_is_told_and_its_end(
    watch: Watch, outside: Outside, clock: SetClock, logs: list[EventDict]
) -> None:
    outside.status = 404
    assert not await watch.watchdog.call()
    began = clock()
    clock.forward(minutes=1)
    assert not await watch.watchdog.call()
    outside.status = 200
    assert await watch.watchdog.call()
    assert await watch.watchdog.call()
    assert watch.told == [("failing", "404", began), ("back", "404", began)]
    assert "geheim" not in str(logs)


async def test_no_answer_and_no_connection_are_failures(
    watch: Watch, outside: Outside, clock: SetClock, logs: list[EventDict]
) -> None:
    outside.silent = True
    assert not await watch.watchdog.call()
    told: list[str] = []
    async with aiohttp.ClientSession() as session:
        for url in ("http://127.0.0.1:1/geheim", "http://[geheim"):
            nowhere = Watchdog(
                session,
                SecretStr(url),
                timedelta(seconds=1),
                [],
                clock,
                on_failing=lambda problem, since: told.append(problem),
            )
            assert not await nowhere.call()
    assert told == ["connection", "connection"]
    assert watch.told == [("failing", "timeout", clock())]
    assert "geheim" not in str(logs)
