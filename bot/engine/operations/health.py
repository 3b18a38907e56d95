"""Looking at the machine by fresh readings of its own probes and of the configured addresses, beside the
watch: the watch comes round at its intervals, and an operation has to know now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from bot.domain.alerts.model import Rules
from bot.domain.cleanup.health import Look, Measure, look_of, looked_again, suspects
from bot.engine.clock import Clock
from bot.engine.taking import take, without
from probes.base import Layer, Probe, Problem, ProblemKind, Reading

_LOOK_SECONDS = 10.0
"""for one look, however slow a probe is: what has not answered by then has given no reading"""
_PAUSE_SECONDS = 5.0
"""between two looks at what is bad: a peak of a moment is no reason to undo anything"""
_AT_ONCE = 50

Readings = list[tuple[str, Layer, Reading]]


class Health:
    """Looks, in bounded time: at most four times `look_seconds` and three times `pause_seconds`."""

    def __init__(
        self,
        probes: Callable[[], Sequence[Probe]],
        rules: Rules,
        clock: Clock,
        look_seconds: float = _LOOK_SECONDS,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        """`probes` makes them anew for each look: rates and shares are of that moment then, and not of all
        that the operation did since the last one, and the watch has its own to itself."""
        self._probes = probes
        self._rules = rules
        self._clock = clock
        self._look_seconds = look_seconds
        self._pause_seconds = pause_seconds

    async def look(self) -> Look:
        """How the machine is now."""
        return look_of(await self._read(self._probes()), self._rules)

    async def look_until_sure(self, before: Collection[Measure]) -> Look:
        """The same; what is bad and was not `before` is looked at again, as often as its rule wants bad
        checks in a row (two to four), and counts only if no look has seen it well."""
        look, looks = await self.look(), 1
        while (found := suspects(look, before)) and looks < max(found.values()):
            await asyncio.sleep(self._pause_seconds)
            look, looks = looked_again(look, await self.look()), looks + 1
        return look

    async def _read(self, probes: Sequence[Probe]) -> Readings:
        gate, at = asyncio.Semaphore(_AT_ONCE), self._clock()

        async def one(probe: Probe) -> list[Reading]:
            async with gate:
                return await take(probe, at)

        tasks = [asyncio.create_task(one(probe)) for probe in probes]
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=self._look_seconds)
        finally:
            for task in tasks:
                task.cancel()
        late = Problem(ProblemKind.TIMEOUT, f"{self._look_seconds:g} s")
        found: Readings = []
        for probe, task in zip(probes, tasks, strict=True):
            answered = task.done() and not task.cancelled()
            for reading in task.result() if answered else without(probe, at, late):
                found.append((probe.name, probe.layer, reading))
        return found
