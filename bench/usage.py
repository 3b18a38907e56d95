"""What a process uses: processor time and memory, its children included."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """A process over some time: `cpu` in percent of one core, `rss_mb` resident 10⁶ bytes at the end."""

    cpu: float
    rss_mb: float


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and its ended children have used. Raises psutil.NoSuchProcess."""
    return _cpu_seconds(psutil.Process(pid))


def peak_mb(pid: int) -> float:
    """The most resident memory that a process has ever had, in 10⁶ bytes."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError("the system does not say how much memory a process had")


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
