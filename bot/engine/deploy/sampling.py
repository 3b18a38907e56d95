"""Looks at a canary: what the load balancer counted, how Green does, what our own requests found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

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
T_co = TypeVar("T_co", covariant=True)

WITHIN = 2.0
"""seconds that a look waits for a part of it: with the pause after it, less than is called blind"""
_HEALTH_EVERY = 2.0
"""seconds; the load balancer looks too, this is the judge's own look"""
_PROBE_SECONDS = 5.0
"""for one of our own requests"""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look has found."""

    sample: Sample
    b: int | None
    """the share of slot b; None where that is not known this time"""


class _Part(Generic[T_co]):
    """A question that looks ask again and again, one at a time: what is slow goes on beside them."""

    def __init__(self, ask: Callable[[], Awaitable[T_co]]) -> None:
        self._ask = ask
        self._task: asyncio.Task[T_co] | None = None

    def begin(self) -> None:
        """Ask, unless the last answer has not come yet, or nobody has taken it."""
        if self._task is None:
            self._task = asyncio.create_task(self._asked(), name="deploy:part")

    @property
    def asked(self) -> list[asyncio.Task[T_co]]:
        """What is asked by now, if anything."""
        return [] if self._task is None else [self._task]

    def answer(self) -> T_co | None:
        """What has been answered since this was last called; None for nothing."""
        if self._task is None or not self._task.done():
            return None
        done, self._task = self._task, None
        return done.result()

    async def _asked(self) -> T_co:
        return await self._ask()


class Sampler:
    """Takes looks at Green beside Blue; to be closed."""

    def __init__(self, site: Site, green: Slot) -> None:
        self._site = site
        self.green = green
        """the slot that is looked at"""
        traffic, releases = site.traffic, site.releases
        self._share = _Part(lambda: _share(site))
        self._ours = _Part(lambda: _counters(site, green))
        self._theirs = _Part(lambda: _counters(site, green.other))
        self._took = _Part(lambda: traffic.latencies(green))
        self._blue_took = _Part(lambda: traffic.latencies(green.other))
        self._found = _Part(lambda: _known(releases.find, green))
        self._healthy = _Part(self._health)
        self._usage = _Part(lambda: _known(releases.usage, green))
        self._asked_at = 0.0
        self._probing: asyncio.Task[tuple[Counted, Latencies]] | None = None
        self._owed = 0
        """own requests that wait until those before them have been answered"""

    async def close(self) -> None:
        """Ends what is under way."""
        tasks: list[asyncio.Task[object]] = [task for each in self._parts for task in each.asked]
        tasks += self._usage.asked
        if self._probing is not None:
            tasks.append(self._probing)
            self._probing = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def take(self, within: float | None = None) -> Look:
        """One look. What could not be found out in so many seconds (or `WITHIN`) is None, and its answer
        counts in the look after it comes; never raises for that. CPU and memory are not waited for. May be
        cancelled: the next look goes on from what was asked."""
        self._usage.begin()
        if time.monotonic() - self._asked_at >= _HEALTH_EVERY:
            self._healthy.begin()
        for each in (self._share, self._ours, self._theirs, self._took, self._blue_took, self._found):
            each.begin()  # all at once: a look is of one moment
        patience = WITHIN if within is None else within
        await asyncio.wait([task for each in self._parts for task in each.asked], timeout=patience)
        found, usage = self._found.answer(), self._usage.answer()
        instance, seen = found or (None, False)
        probed, probe_took = self._probed()
        sample = Sample(
            green=self._ours.answer(),
            blue=self._theirs.answer(),
            green_latencies=self._took.answer(),
            blue_latencies=self._blue_took.answer(),
            usage=None if usage is None else usage[0],
            alive=(instance is not None and instance.alive) if seen else None,
            restarts=None if instance is None else instance.restarts,
            healthy=self._healthy.answer(),
            probed=probed,
            probe_latencies=probe_took,
        )
        return Look(sample, self._share.answer())

    def probe(self, count: int, paths: Sequence[str], per_second: float) -> None:
        """Send that many requests of our own to Green while looks go on, after those that are under way."""
        self._owed += count
        if self._probing is None:
            owed, self._owed = self._owed, 0
            address = self._site.address(self.green)
            self._probing = asyncio.create_task(
                send(address, paths, owed, per_second, _PROBE_SECONDS), name="deploy:probes"
            )

    @property
    def _parts(self) -> tuple[_Part[object], ...]:
        """What a look waits for."""
        ours = (self._share, self._ours, self._theirs, self._took, self._blue_took)
        return (*ours, self._found, self._healthy)

    def _probed(self) -> tuple[Counted, Latencies | None]:
        if self._probing is None or not self._probing.done():
            return Counted(), None
        done, self._probing = self._probing, None
        return done.result()

    async def _health(self) -> bool:
        self._asked_at = time.monotonic()
        rules = self._site.health
        async with session_of(1, rules.timeout) as session:
            return await check(self._site.address(self.green), rules, session) is None


async def _share(site: Site) -> int | None:
    try:
        return await site.traffic.share()
    except TrafficFailed:  # its counters say so too
        return None


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
