"""aiohttp alone: asks COUNT addresses every INTERVAL seconds, spread over it, on kept connections."""

from __future__ import annotations

import asyncio
import sys

import aiohttp


async def _watch(session: aiohttp.ClientSession, url: str, first: float, interval: float) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time() + first
    while True:
        await asyncio.sleep(max(0.0, due - loop.time()))
        async with session.get(url) as answer:
            await answer.read()
        due += interval


async def _run(base: str, count: int, interval: float) -> None:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=90)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with asyncio.TaskGroup() as watches:
            for number in range(count):
                first = interval * number / count
                watches.create_task(_watch(session, f"{base}/{number}", first, interval))


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
