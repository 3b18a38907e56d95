"""How full memory and swap are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import psutil

from probes.base import Layer, Reading, Unit, measured
from probes.infrastructure.cgroup import memory_limit
from probes.infrastructure.largest import largest_by_memory
from probes.sizes import human_bytes


class Memory:
    """`memory_usage`: percent of memory that new programs cannot have, and `swap_usage`, where swap exists.

    Memory that the kernel would give back (caches) counts as free. In a container whose limit is below the
    machine's memory, `memory_usage` is the container's: what it holds, without cache not used of late.
    Facts: `used`, `total`, and above `facts_above` percent `largest_processes`.
    """

    name: ClassVar[str] = "memory"
    layer: ClassVar[Layer] = Layer.INFRASTRUCTURE
    metrics: ClassVar[Mapping[str, Unit]] = {"memory_usage": Unit.PERCENT, "swap_usage": Unit.PERCENT}

    def __init__(
        self,
        *,
        host: str,
        interval: timedelta = timedelta(seconds=15),
        timeout: timedelta = timedelta(seconds=5),
        facts_above: float = 70.0,
        cgroup_root: Path = Path("/sys/fs/cgroup"),
    ) -> None:
        self.target = host
        self.interval = interval
        self.timeout = timeout
        self._facts_above = facts_above
        self._cgroup_root = cgroup_root

    def read_blocking(self, at: datetime) -> list[Reading]:
        """`memory_usage`, and `swap_usage` unless the machine has none."""
        machine = psutil.virtual_memory()
        used, total = machine.total - machine.available, machine.total
        limit = memory_limit(self._cgroup_root)
        if limit is not None and limit.total < total:
            used, total = limit.used, limit.total
        usage = 100 * used / total if total else float("nan")
        facts = {"used": human_bytes(used), "total": human_bytes(total)}
        if usage >= self._facts_above:
            facts["largest_processes"] = largest_by_memory()
        readings = [measured("memory_usage", self.target, usage, Unit.PERCENT, at, facts)]
        swap = psutil.swap_memory()
        if swap.total > 0:
            facts = {"used": human_bytes(swap.used), "total": human_bytes(swap.total)}
            percent = 100 * swap.used / swap.total
            readings.append(measured("swap_usage", self.target, percent, Unit.PERCENT, at, facts))
        return readings
