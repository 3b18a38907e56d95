"""The driver of traffic for HAProxy. It keeps what bot/tools/traffic/contract.py promises.

The share is one entry of a map, because changing that is one act: 400 changes under load lost none of 814,000
requests, where weights, which are two acts, can leave both backends without a share.
"""

from __future__ import annotations

import asyncio
import re

from bot.domain.deploy.measures import Counters, Latencies
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.tools.traffic.haproxy.log_stream import LogStream
from bot.tools.traffic.haproxy.mapfile import write_entry
from bot.tools.traffic.haproxy.runtime import Runtime, first_line
from bot.tools.traffic.haproxy.stats import Slots, read_stats

_LOOKED = re.compile(r"^type=.*\b(?:found|match)=(?:yes|no)\b")
_VALUE = re.compile(r'\bvalue="([^"]*)"')


class HaproxyTraffic:
    """One service's traffic. What is under way in an old process of HAProxy's, after a reload, is out of
    sight and out of reach: `hard-stop-after` in haproxy.cfg is what ends it."""

    def __init__(self, configuration: HaproxyConfiguration, log: LogStream | None = None) -> None:
        """`log` listens at the configuration's `log`; whoever made it opens and closes it."""
        self._its = configuration
        self._log = log
        self._runtime = Runtime(configuration.socket, configuration.timeout)

    async def share(self) -> int:
        """What HAProxy finds in its map."""
        return self._share_in(await self._runtime.ask(self._look))

    async def shift(self, b: int) -> None:
        """Into the file first: a reload in between reads it. Nothing is written while HAProxy can't be
        reached, or doesn't know the map."""
        _checked(b)
        now = await self.share()
        await self._write(b)
        if now != b:
            await self._set(b)

    async def divert(self, b: int) -> None:
        """The same for going back, when nothing must be in the way: HAProxy first, then the file, each
        whatever becomes of the other. Raises TrafficFailed for what could not be done."""
        _checked(b)
        problems: list[TrafficFailed] = []
        for act in (self._set, self._write):
            try:
                await act(b)
            except TrafficFailed as failed:
                problems.append(failed)
        if problems:
            raise problems[0]
        if await self.share() != b:  # a process that had read the file before took over meanwhile
            await self._set(b)

    async def counters(self, slot: Slot) -> Counters:
        """From the rows of the slot's server and its backend."""
        return (await self._stats(slot)).counters

    async def latencies(self, slot: Slot) -> Latencies | None:
        """From the log; None when there is none to listen to."""
        if self._log is None or not self._log.listening:
            return None
        return self._log.latencies(self._its.backends[slot])

    async def in_flight(self, slot: Slot) -> int:
        """With the server or in the queue for it."""
        return (await self._stats(slot)).in_flight

    async def cut(self, slot: Slot) -> int:
        """The sessions with the slot's server are shut down."""
        under_way = await self.in_flight(slot)
        if under_way:
            backend = self._its.backends[slot]
            answer = await self._runtime.ask(f"shutdown sessions server {backend}/{self._its.server}")
            if said := first_line(answer):
                raise TrafficFailed("traffic_refused", said)
        return under_way

    @property
    def _look(self) -> str:
        return f"get map {self._its.map} {self._its.key}"

    def _share_in(self, answer: str) -> int:
        found = _VALUE.search(answer)
        if found is None:  # no such map, no such entry, or no rights
            raise TrafficFailed("traffic_refused", f"{self._its.map} {self._its.key}: {first_line(answer)}")
        value = found[1]
        if not value.isdecimal() or int(value) > 100:
            raise TrafficFailed("traffic_unreadable", f"{self._its.key}: {value[:50]!r}")
        return int(value)

    async def _write(self, b: int) -> None:
        its = self._its
        writing = asyncio.ensure_future(
            asyncio.to_thread(write_entry, its.map_file, its.key, str(b), its.timeout)
        )
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # The thread goes on, and must not come after whatever is written next.
            await asyncio.wait({writing})
            raise

    async def _set(self, b: int) -> None:
        answer = await self._runtime.ask(f"set map {self._its.map} {self._its.key} {b}", self._look)
        # What comes before the answer to the look is why it could not be set: nothing if it could.
        said = first_line(answer)
        if _LOOKED.match(said) is None:
            raise TrafficFailed("traffic_refused", said)
        if (now := self._share_in(answer)) != b:
            raise TrafficFailed("traffic_refused", f"the map says {now} after it was set to {b}")

    async def _stats(self, slot: Slot) -> Slots:
        backend = self._its.backends[slot]
        # 2 and 4: backends and servers; one process answers both, so the epoch is that of the numbers.
        answer = await self._runtime.ask("show info", f"show stat {backend} 6 -1")
        return read_stats(answer, backend, self._its.server)


def _checked(b: int) -> None:
    if not 0 <= b <= 100:
        raise ValueError("a share is from 0 to 100")
