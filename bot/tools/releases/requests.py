"""Requests of our own at a slot's address: where there is too little traffic to judge by, and to measure a
release before it carries any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import aiohttp

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.measures import Counted, Latencies
from bot.tools.commands import never
from bot.tools.releases.health import session_of

AT_ONCE = 50
"""requests that may be under way at a time; as many as a slow release can keep us waiting with"""
_ENOUGH = 4 * 1024 * 1024
"""bytes of an answer that are read"""


async def send(
    address: Address,
    paths: Sequence[str],
    count: int,
    per_second: float,
    timeout: float,  # noqa: ASYNC109 - of each request, not of all
    stopping: Callable[[], bool] = never,
) -> tuple[Counted, Latencies]:
    """Send `count` requests, at most so many a second, to the paths in turn; stops between two when
    `stopping` says so. An error is what the load balancer counts as one: an answer of 5xx, a connection or an
    answer that failed, nothing within `timeout` seconds. The durations are those of answers read to their
    end and of those that nothing came of in time."""
    if not paths:
        raise ValueError("no paths")
    loop = asyncio.get_running_loop()
    began = loop.time()
    errors = 0
    durations: list[float] = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(path: str) -> None:
        nonlocal errors
        asked = loop.time()
        try:
            good = await _ask(session, address.url(path), timeout)
        except TimeoutError:
            good = False
        except (aiohttp.ClientError, OSError):
            errors += 1
            return
        finally:
            gate.release()
        errors += not good
        durations.append(1000 * (loop.time() - asked))

    sent = 0
    async with session_of(AT_ONCE, timeout) as session, asyncio.TaskGroup() as group:
        while sent < count and not stopping():
            await gate.acquire()
            await asyncio.sleep(max(0.0, began + sent / per_second - loop.time()))
            group.create_task(one(paths[sent % len(paths)]))
            sent += 1
    return Counted.of(sent, errors), Latencies.of(durations)


async def _ask(session: aiohttp.ClientSession, url: str, seconds: float) -> bool:
    """Whether the answer is none of 5xx. Raises TimeoutError, ClientError and OSError."""
    async with asyncio.timeout(seconds):
        async with session.get(url, allow_redirects=False) as answer:
            read = 0
            async for chunk in answer.content.iter_chunked(64 * 1024):
                read += len(chunk)
                if read > _ENOUGH:
                    break
            return answer.status < 500
