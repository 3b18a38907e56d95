"""How busy the processors are."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

import psutil

from probes.base import Layer, ProblemKind, Reading, Unit, measured, unmeasured
from probes.infrastructure.largest import largest_by_cpu

_SHORTEST = 0.1
"""Seconds below which the kernel's counters (10 ms steps) say too little."""
_PAUSE = 0.25
"""How long a reading waits for more when the last one was just now."""


class Cpu:
    """`cpu_usage`: percent of all cores in use since the previous reading.

    The first reading is of a third of a second, taken a little after it is asked for: a program that has just
    been started is busy with itself, and that is not what the machine is usually like.

    Busy is everything but idle and waiting for disks; time stolen by the hypervisor counts as busy, as in
    `top`. Facts, where the system counts them: `iowait` and `steal`; and above `facts_above` percent
    `largest_processes`. Inside a container the kernel counts the whole machine, and so does this.
    Each instance keeps its own counters, so that two never shorten each other's interval.
    """

    name: ClassVar[str] = "cpu"
    layer: ClassVar[Layer] = Layer.INFRASTRUCTURE
    metrics: ClassVar[Mapping[str, Unit]] = {"cpu_usage": Unit.PERCENT}

    def __init__(
        self,
        *,
        host: str,
        interval: timedelta = timedelta(seconds=15),
        timeout: timedelta = timedelta(seconds=5),
        facts_above: float = 60.0,
        settle: float = 0.6,
    ) -> None:
        """`settle`: seconds for the first reading; 0 lets it begin with the making of this instance."""
        self.target = host
        self.interval = interval
        self.timeout = timeout
        self._facts_above = facts_above
        self._settle = settle
        self._before = None if settle > 0 else _counters()

    def read_blocking(self, at: datetime) -> list[Reading]:
        """One reading; the first takes `settle` or half the time-out, if that is shorter, and one less than
        0.1 s after the previous one sleeps 0.25 s."""
        cores = psutil.cpu_count() or 1
        if self._before is None:
            patience = min(self._settle, self.timeout.total_seconds() / 2)
            time.sleep(patience / 2)
            self._before = _counters()
            time.sleep(patience / 2)
        now = _counters()
        spent = _difference(self._before, now)
        if sum(spent.values()) < _SHORTEST * cores:
            time.sleep(_PAUSE)
            now = _counters()
            spent = _difference(self._before, now)
        self._before = now
        total = sum(spent.values())
        if total <= 0:
            problem = "the kernel's CPU counters stand still"
            return [unmeasured("cpu_usage", self.target, Unit.PERCENT, at, ProblemKind.FAILED, problem)]
        usage = 100 * (total - spent["idle"] - spent.get("iowait", 0.0)) / total
        facts = {
            name: f"{100 * spent[name] / total:.1f}%"
            for name in ("iowait", "steal")
            if spent.get(name, 0.0) > 0
        }
        if usage >= self._facts_above:
            facts["largest_processes"] = largest_by_cpu()
        # The parts are summed as floating point numbers: 100.00000000000001 is 100.
        return [measured("cpu_usage", self.target, min(usage, 100.0), Unit.PERCENT, at, facts)]


def _counters() -> dict[str, float]:
    times = psutil.cpu_times()
    counters = dict(zip(times._fields, times, strict=True))
    # Linux counts guests in user and nice as well.
    counters.pop("guest", None)
    counters.pop("guest_nice", None)
    return counters


def _difference(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    # Single counters do step back now and then (iowait, a core taken offline); time never does.
    return {name: max(0.0, value - before.get(name, 0.0)) for name, value in now.items()}
