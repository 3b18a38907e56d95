"""The driver of traffic for whatever else shares it. It keeps what bot/tools/traffic/contract.py promises."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from bot.domain.deploy.measures import BOUNDS, Counters, Latencies, bucket_of
from bot.domain.deploy.slots import Slot
from bot.tools.commands import CommandFailed, run
from bot.tools.traffic.command.answers import Metrics, SlotMetrics, read_cut, read_metrics, read_share
from bot.tools.traffic.command.configuration import PERCENT, SLOT, CommandConfiguration
from bot.tools.traffic.contract import TrafficFailed

_KEPT = 1024 * 1024
_FLOOD = 8 * 1024 * 1024
_TELLS_WITHIN = 3.0
"""seconds that `share` has before traffic goes back all the same"""


class CommandTraffic:
    """One service's traffic. Every call runs a command once and keeps nothing but durations."""

    def __init__(self, configuration: CommandConfiguration) -> None:
        self._its = configuration
        self._seen: dict[Slot, SlotMetrics] = {}
        self._durations = dict.fromkeys(Slot, Latencies())

    async def share(self) -> int:
        """As `share` says."""
        return read_share(await self._run(self._its.share))

    async def shift(self, b: int) -> None:
        """By `shift`, unless `share` says that it is so already; and believed when `share` says so."""
        _checked(b)
        if await self.share() == b:
            return
        await self._run(_with(self._its.shift, PERCENT, str(b)))
        if (now := await self.share()) != b:
            raise TrafficFailed("traffic_refused", f"slot b carries {now} after it was set to {b}")

    async def divert(self, b: int) -> None:
        """The same, also when nobody knows what is so already: `share` is not waited for long. Where it
        cannot tell afterwards either, `shift` is believed, which ended with status 0."""
        _checked(b)
        with suppress(TrafficFailed, TimeoutError):
            async with asyncio.timeout(_TELLS_WITHIN):
                if await self.share() == b:
                    return
        await self._run(_with(self._its.shift, PERCENT, str(b)))
        try:
            now = await self.share()
        except TrafficFailed:
            return
        if now != b:
            raise TrafficFailed("traffic_refused", f"slot b carries {now} after it was set to {b}")

    async def counters(self, slot: Slot) -> Counters:
        """As `metrics` says."""
        found = (await self._metrics()).of(slot)
        return Counters(found.requests, found.errors, found.epoch)

    async def latencies(self, slot: Slot) -> Latencies | None:
        """What came since the first look; None when `metrics` tells no durations, or can't be had."""
        try:
            found = (await self._metrics()).of(slot)
        except TrafficFailed:
            return None
        if found.durations is None:
            return None
        before = self._seen.get(slot)
        self._seen[slot] = found
        if before is not None:
            anew = before.epoch != found.epoch
            new = _latencies(found) if anew else _latencies(found).minus(_latencies(before))
            self._durations[slot] = self._durations[slot].plus(new)
        return self._durations[slot]

    async def in_flight(self, slot: Slot) -> int:
        """As `metrics` says; none when it doesn't."""
        return (await self._metrics()).of(slot).in_flight or 0

    async def cut(self, slot: Slot) -> int:
        """By `cut`; nothing is cut without one."""
        if self._its.cut is None:
            return 0
        return read_cut(await self._run(_with(self._its.cut, SLOT, slot.value)))

    async def _metrics(self) -> Metrics:
        return read_metrics(await self._run(self._its.metrics))

    async def _run(self, command: Sequence[str]) -> str:
        its = self._its
        try:
            ran = await run(
                command, timeout=its.timeout, limit=_KEPT, flood=_FLOOD, environment=its.environment
            )
        except CommandFailed as failed:
            raise TrafficFailed("traffic_gone", str(failed)) from None
        if ran.status != 0:
            raise TrafficFailed("traffic_refused", ran.last_words or f"status {ran.status}")
        if ran.truncated:
            raise TrafficFailed("traffic_unreadable", f"an answer of more than {_KEPT} bytes")
        return ran.out


def _checked(b: int) -> None:
    if not 0 <= b <= 100:
        raise ValueError("a share is from 0 to 100")


def _with(command: Sequence[str], word: str, value: str) -> list[str]:
    return [value if each == word else each for each in command]


def _latencies(found: SlotMetrics) -> Latencies:
    counts = [0] * (len(BOUNDS) + 1)
    for each in found.durations or ():
        counts[bucket_of(each.up_to_ms)] += each.count
    return Latencies(tuple(counts))
