"""A probe whose value the test turns, with the face of a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from probes.base import Layer, Problem, Reading, Unit, measured


class Dial:
    """Reads what it was turned to: a value, a problem, an exception, or nothing for ever."""

    name: ClassVar[str] = "memory"
    layer: ClassVar[Layer] = Layer.INFRASTRUCTURE
    metrics: ClassVar[Mapping[str, Unit]] = {"memory_usage": Unit.PERCENT}

    def __init__(self, target: str = "web-1", value: float = 50.0) -> None:
        self.target = target
        self.interval = timedelta(milliseconds=50)
        self.timeout = timedelta(milliseconds=250)
        self.value = value
        self.problem: Problem | None = None
        self.error: Exception | None = None
        self.hangs = False
        self.reads = 0
        self._spikes: list[float] = []

    @property
    def spiked(self) -> bool:
        """Whether all spikes have been read."""
        return not self._spikes

    def spikes(self, value: float, times: int) -> None:
        """Read that so many times, and then the same as before."""
        self._spikes = [value] * times

    def works(self, value: float) -> None:
        """Read that from now on."""
        self.value, self.problem, self.error, self.hangs = value, None, None, False

    async def read(self, at: datetime) -> list[Reading]:
        """What it was turned to."""
        self.reads += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        if self.problem is not None:
            return [Reading("memory_usage", self.target, None, Unit.PERCENT, at, self.problem)]
        value = self._spikes.pop() if self._spikes else self.value
        return [measured("memory_usage", self.target, value, Unit.PERCENT, at)]
