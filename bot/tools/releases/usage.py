"""What a process and all that it started take of their machine."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from bot.domain.deploy.measures import Usage
from bot.tools.releases.limits import limits


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    cpu: float
    """seconds so far"""


class Meter:
    """Measures trees of processes; remembers the last look at each."""

    def __init__(self) -> None:
        self._looks: dict[tuple[int, float], _Look] = {}

    def measure(self, pid: int) -> Usage | None:
        """What the process and its descendants take: the share of their cores since the last look (the first
        time: since it started), and the share of their memory now. None when it is gone or can't be seen.
        Blocks for some milliseconds."""
        try:
            top = psutil.Process(pid)
            allowed = limits(top)
            tree = [top, *top.children(recursive=True)]
            now, began = time.time(), top.create_time()
            cpu = sum(_cpu(each) for each in tree)
            memory = sum(_memory(each) for each in tree)
        except psutil.Error:
            return None
        before = self._looks.get((pid, began), _Look(began, 0.0))
        self._looks = {key: look for key, look in self._looks.items() if psutil.pid_exists(key[0])}
        self._looks[pid, began] = _Look(now, cpu)
        span = now - before.at
        if span <= 0:
            return None
        return Usage(
            cpu=min(100.0, max(0.0, 100 * (cpu - before.cpu) / span / allowed.cores)),
            memory=min(100.0, 100 * memory / allowed.memory),
        )


def _cpu(process: psutil.Process) -> float:
    """Seconds of it and of what it has reaped; those that still run count themselves."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _memory(process: psutil.Process) -> int:
    """Bytes, shared ones divided by those that share them; where we may not look so close, all that it has
    in memory."""
    try:
        with_shares = process.memory_full_info()
        return int(with_shares.pss)
    except psutil.AccessDenied:
        pass
    except psutil.Error:
        return 0
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
