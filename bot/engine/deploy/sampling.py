"""Looks at a canary: what the load balancer counted, how Green does, what our own requests found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from bot.domain.deploy.measures import Counted, Counters, Latencies
from bot.domain.deploy.sample import Sample
from bot.domain.deploy.slots import Slot
from bot.engine.deploy.site import Site
from bot.tools.releases.contract import ReleaseFailed
from bot.tools.releases.health import check, session_of
from bot.tools.releases.requests import send
from bot.tools.traffic.contract import TrafficFailed

log = structlog.get_logger(__name__)
T = TypeVar("T")

_HEALTH_EVERY = 2.0
"""seconds; the load balancer looks too, this is the judge's own look"""
_PROBE_SECONDS = 5.0
"""for one of our own requests"""


class Sampler:
    """Takes looks at Green beside Blue; use as a context."""

    def __init__(self, site: Site, green: Slot) -> None:
        self._site = site
        self.green = green
        """the slot that is looked at"""
        self._asked_at = 0.0
        self._probing: asyncio.Task[tuple[Counted, Latencies]] | None = None
        self._owed = 0
        """own requests that wait until those before them have been answered"""

    async def close(self) -> None:
        """Ends what is under way."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)
            self._probing = None

    async def take(self) -> Sample:
        """One look. What could not be found out is None; never raises for that."""
        traffic, releases, green = self._site.traffic, self._site.releases, self.green
        async with asyncio.TaskGroup() as group:  # all at once: a look is of one moment
            ours = group.create_task(_counters(self._site, green))
            theirs = group.create_task(_counters(self._site, green.other))
            took = group.create_task(traffic.latencies(green))
            blue_took = group.create_task(traffic.latencies(green.other))
            found = group.create_task(_known(releases.find, green))
            usage = group.create_task(_known(releases.usage, green))
            healthy = group.create_task(self._health())
        probed, probe_took = await self._probed()
        instance, seen = found.result()
        return Sample(
            green=ours.result(),
            blue=theirs.result(),
            green_latencies=took.result(),
            blue_latencies=blue_took.result(),
            usage=usage.result()[0],
            alive=(instance is not None and instance.alive) if seen else None,
            restarts=None if instance is None else instance.restarts,
            healthy=healthy.result(),
            probed=probed,
            probe_latencies=probe_took,
        )

    def probe(self, count: int, paths: Sequence[str], per_second: float) -> None:
        """Send that many requests of our own to Green while looks go on, after those that are under way."""
        self._owed += count
        if self._probing is None:
            owed, self._owed = self._owed, 0
            address = self._site.address(self.green)
            self._probing = asyncio.create_task(
                send(address, paths, owed, per_second, _PROBE_SECONDS), name="deploy:probes"
            )

    async def _probed(self) -> tuple[Counted, Latencies | None]:
        if self._probing is None or not self._probing.done():
            return Counted(), None
        done, self._probing = self._probing, None
        return done.result()

    async def _health(self) -> bool | None:
        now = time.monotonic()
        if now - self._asked_at < _HEALTH_EVERY:
            return None
        self._asked_at = now
        rules = self._site.health
        async with session_of(1, rules.timeout) as session:
            return await check(self._site.address(self.green), rules, session) is None


async def _counters(site: Site, slot: Slot) -> Counters | None:
    try:
        return await site.traffic.counters(slot)
    except TrafficFailed as failed:
        log.warning("traffic_not_seen", slot=slot.value, reason=failed.reason, detail=failed.detail)
        return None


async def _known(ask: Callable[[Slot], Awaitable[T | None]], slot: Slot) -> tuple[T | None, bool]:
    """What the driver says, and whether it could say anything."""
    try:
        return await ask(slot), True
    except ReleaseFailed as failed:
        log.warning("release_not_seen", slot=slot.value, reason=failed.reason, detail=failed.detail)
        return None, False
