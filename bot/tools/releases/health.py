"""Waiting for a release to be healthy: it answers as it should, some times in a row."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from bot.domain.deploy.addresses import Address
from bot.tools.commands import never
from bot.tools.releases.contract import Instance, ReleaseFailed

MOST_READ = 1024 * 1024
"""bytes of an answer that are looked at"""


@dataclass(frozen=True, slots=True)
class HealthRules:
    """What a healthy answer is, and how long one is waited for."""

    path: str = "/health"
    statuses: tuple[int, int] = (200, 299)
    """from, to; a redirection is not followed"""
    contains: str = ""
    """must stand in the answer's first megabyte, as UTF-8: an error page with 200 is not healthy"""
    timeout: float = 2.0
    """seconds for one answer"""
    within: float = 60.0
    """seconds for all"""
    in_a_row: int = 3
    """good answers"""
    every: float = 0.5
    """seconds from one question to the next"""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why it isn't healthy: the name of a phrase (`health_…`) and its values."""

    name: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """What came of waiting. `problem` is the last one there was, also if it became healthy after it."""

    healthy: bool
    seconds: float
    problem: Problem | None = None


async def check(address: Address, rules: HealthRules, session: aiohttp.ClientSession) -> Problem | None:
    """Ask once: health_refused (detail), health_slow (seconds), health_status (status, low, high),
    health_body (contains); None of a good answer."""
    low, high = rules.statuses
    try:
        async with asyncio.timeout(rules.timeout):
            async with session.get(address.url(rules.path), allow_redirects=False) as answer:
                if not low <= answer.status <= high:
                    return Problem("health_status", {"status": answer.status, "low": low, "high": high})
                if rules.contains and rules.contains.encode() not in await _beginning(answer):
                    return Problem("health_body", {"contains": rules.contains})
    except TimeoutError:
        return Problem("health_slow", {"seconds": rules.timeout})
    except (aiohttp.ClientError, OSError) as error:
        return Problem("health_refused", {"detail": _said(error)})
    return None


async def wait_until_healthy(
    address: Address,
    rules: HealthRules,
    find: Callable[[], Awaitable[Instance | None]],
    *,
    restarts: int | None = None,
    stopping: Callable[[], bool] = never,
) -> Health:
    """Wait until it is healthy: so many good answers in a row within that time. Ends early when `find` says
    that it isn't there (health_gone), is dead (health_dead) or was started again by its supervisor
    (health_restarts; `restarts` is how often that had happened before, by default until the first look), and
    when `stopping` says so (health_stopped). Out of time, the problem is the last one, or health_late
    (in_a_row, needed) when all was well but too late."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    latest, good, problem = began + rules.within, 0, None
    async with session_of(1, rules.timeout) as session:
        while True:
            if stopping():
                return Health(False, loop.time() - began, Problem("health_stopped"))
            hopeless, restarts = await _hopeless(find, restarts)
            if hopeless is not None:
                return Health(False, loop.time() - began, hopeless)
            asked = loop.time()
            found = await check(address, rules, session)
            good = 0 if found else good + 1
            problem = found or problem
            if good >= rules.in_a_row:
                # Whoever answered last must be the release that was started, and not one before it.
                hopeless, restarts = await _hopeless(find, restarts)
                return Health(hopeless is None, loop.time() - began, hopeless or problem)
            pause = max(0.0, asked + rules.every - loop.time())
            if loop.time() + pause >= latest:
                late = Problem("health_late", {"in_a_row": good, "needed": rules.in_a_row})
                return Health(False, loop.time() - began, found or late)
            await asyncio.sleep(pause)


def session_of(connections: int, seconds: float) -> aiohttp.ClientSession:
    """A client for a slot's address: straight there, each request on a connection of its own, no cookies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, force_close=True, use_dns_cache=False),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=seconds),
        auto_decompress=False,  # a small answer may become a big one
        headers={"Accept-Encoding": "identity", "User-Agent": "guardian"},
    )


async def _hopeless(
    find: Callable[[], Awaitable[Instance | None]], restarts: int | None
) -> tuple[Problem | None, int | None]:
    """Why there is nothing to wait for, and how many restarts there were at first."""
    try:
        instance = await find()
    except ReleaseFailed:
        return None, restarts  # a driver that can't tell just now says nothing about the release
    if instance is None:
        return Problem("health_gone"), restarts
    if restarts is not None and instance.restarts > restarts:
        return Problem("health_restarts", {"restarts": instance.restarts - restarts}), restarts
    if not instance.alive:
        return Problem("health_dead", {"restarts": instance.restarts}), restarts
    return None, instance.restarts if restarts is None else restarts


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """The first megabyte of an answer."""
    chunks: list[bytes] = []
    left = MOST_READ
    async for chunk in answer.content.iter_chunked(64 * 1024):
        chunks.append(chunk[:left])
        left -= len(chunk)
        if left <= 0:
            break
    return b"".join(chunks)


def _said(error: Exception) -> str:
    """In a few words: asyncio's own name every address that it tried."""
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    number = inner.errno if isinstance(inner, OSError) else None
    words = os.strerror(number) if number is not None and number > 0 else str(inner)
    return (words or type(error).__name__)[:200]
