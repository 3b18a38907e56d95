"""Probes that do whatever a probe may do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from probes.base import Layer, Reading, Unit, measured

Answer = Callable[[datetime], list[Reading]]


def percent(value: float, target: str = "web-1", metric: str = "cpu_usage") -> Answer:
    """One reading of that value."""
    return lambda at: [measured(metric, target, value, Unit.PERCENT, at)]


class _Probe:
    name: ClassVar[str] = "cpu"
    layer: ClassVar[Layer] = Layer.INFRASTRUCTURE
    metrics: ClassVar[Mapping[str, Unit]] = {"cpu_usage": Unit.PERCENT, "cpu_steal": Unit.PERCENT}

    def __init__(
        self,
        answer: Answer,
        target: str = "web-1",
        interval: timedelta = timedelta(seconds=15),
        timeout: timedelta = timedelta(seconds=60),
    ) -> None:
        self.answer = answer
        self.target = target
        self.interval = interval
        self.timeout = timeout
        self.reads = 0


class Blocking(_Probe):
    """Answers in a thread, once `gate` is open."""

    def __init__(
        self,
        answer: Answer,
        target: str = "web-1",
        interval: timedelta = timedelta(seconds=15),
        timeout: timedelta = timedelta(seconds=60),
    ) -> None:
        super().__init__(answer, target, interval, timeout)
        self.gate = threading.Event()
        self.gate.set()

    def read_blocking(self, at: datetime) -> list[Reading]:
        self.reads += 1
        self.gate.wait()
        return self.answer(at)


class Waiting(_Probe):
    """Answers in the loop, once `gate` is open."""

    def __init__(
        self,
        answer: Answer,
        target: str = "web-1",
        interval: timedelta = timedelta(seconds=15),
        timeout: timedelta = timedelta(seconds=60),
    ) -> None:
        super().__init__(answer, target, interval, timeout)
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, at: datetime) -> list[Reading]:
        self.reads += 1
        await self.gate.wait()
        return self.answer(at)
