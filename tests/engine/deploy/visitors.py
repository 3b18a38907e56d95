"""Visitors of the service: as many as a small machine can bear beside everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from tests.tools.traffic.haproxy import Load

_PAUSE = 0.02
"""seconds between two requests of one visitor"""


@asynccontextmanager
async def visitors(url: str, count: int = 6) -> AsyncIterator[Load]:
    """They ask again and again until the block is left, on connections that are kept, without cookies."""
    found, over = Load(), asyncio.Event()

    async def visitor(session: aiohttp.ClientSession) -> None:
        while not over.is_set():
            try:
                async with session.get(url) as answer:
                    text = await answer.text()
                    if answer.status == 200:
                        found.answers[text] += 1
                    else:
                        found.failures.append(f"{answer.status} {text.strip()[:40]}")
            except aiohttp.ClientError as error:
                found.failures.append(repr(error))
            await asyncio.sleep(_PAUSE)

    connector = aiohttp.TCPConnector(limit=count)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(visitor(session))
            try:
                yield found
            finally:
                over.set()


async def asking(url: str) -> int:
    """One request; its status."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        await answer.read()
        return answer.status
