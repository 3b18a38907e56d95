"""Drivers that are asked and do not answer."""

from __future__ import annotations

import asyncio

from bot.domain.deploy.measures import Counters, Latencies, Usage
from bot.domain.deploy.slots import Slot
from bot.tools.releases.contract import Instance
from bot.tools.traffic.drivers import Divertible
from tests.engine.deploy.releases import Releases


class Hanging:
    """Whoever asks what is named here waits until it is not any more."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.waiting: dict[str, int] = {}
        """how many wait now"""
        self.most: dict[str, int] = {}
        """how many have waited at a time"""
        self._changed = asyncio.Event()

    def answers(self) -> None:
        """All of it answers again."""
        self.names.clear()
        self._changed.set()

    async def wait(self, name: str) -> None:
        """For what is asked by that name."""
        if name not in self.names:
            return
        self.waiting[name] = self.waiting.get(name, 0) + 1
        self.most[name] = max(self.most.get(name, 0), self.waiting[name])
        try:
            await self._changed.wait()
        finally:
            self.waiting[name] -= 1


class SlowTraffic:
    """A load balancer that may hang."""

    def __init__(self, real: Divertible, hanging: Hanging) -> None:
        self._real = real
        self._hanging = hanging
        self.shift, self.divert = real.shift, real.divert
        self.in_flight, self.cut = real.in_flight, real.cut

    async def share(self) -> int:
        await self._hanging.wait("share")
        return await self._real.share()

    async def counters(self, slot: Slot) -> Counters:
        await self._hanging.wait(f"counters {slot}")
        return await self._real.counters(slot)

    async def latencies(self, slot: Slot) -> Latencies | None:
        await self._hanging.wait(f"latencies {slot}")
        return await self._real.latencies(slot)


class SlowReleases(Releases):
    """Releases whose tool may hang."""

    def __init__(self, real: Releases, hanging: Hanging) -> None:
        super().__init__(real)
        self._hanging = hanging

    async def find(self, slot: Slot) -> Instance | None:
        await self._hanging.wait("find")
        return await super().find(slot)

    async def usage(self, slot: Slot) -> Usage | None:
        await self._hanging.wait("usage")
        return await super().usage(slot)
