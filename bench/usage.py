"""What a process uses: processor time and memory, its children included."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """A process over some time: `cpu` in percent of one core, `rss_mb` resident 10⁶ bytes at the end."""

    cpu: float
    rss_mb: float


async def usage_over(pid: int, seconds: float) -> Usage:
    """Watch a process for `seconds`. Raises psutil.NoSuchProcess if it ends meanwhile."""
    process = psutil.Process(pid)
    before, began = _cpu_seconds(process), time.monotonic()
    await asyncio.sleep(seconds)
    spent, took = _cpu_seconds(process) - before, time.monotonic() - began
    return Usage(100 * spent / took, process.memory_info().rss / 1e6)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system
