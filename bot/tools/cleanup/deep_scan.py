"""The deep scan: processes, memory, disks, connections and sessions of this machine, read once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from bot.domain.cleanup.processes import Kind, ProcessFacts, active, protections
from bot.domain.cleanup.rules import Root
from bot.domain.cleanup.scan import DeepScan, Disk, Memory, Protected, Session
from bot.domain.cleanup.zombies import parents
from bot.tools.cleanup.in_use import InUse, look
from bot.tools.cleanup.processes import processes

_LARGEST = 5


@dataclass(frozen=True, slots=True)
class Held:
    """Who is protected just now, and what all processes hold."""

    processes: tuple[ProcessFacts, ...]
    protected: Mapping[int, Kind]
    use: InUse

    @property
    def active(self) -> tuple[Kind, ...]:
        """Why a cleanup is partial; nothing: it is whole."""
        return active(self.protected)


def held(names: Sequence[str] = ()) -> Held:
    """Look at all processes. `names` are those that the configuration protects beside the usual ones."""
    found = processes()
    protected = protections(found, os.getpid(), names)
    return Held(found, protected, look(protected))


def deep_scan(
    at: datetime,
    roots: Sequence[Root],
    restart: Mapping[str, tuple[str, ...]],
    names: Sequence[str] = (),
) -> DeepScan:
    """Look at the machine; `at` is when. What the system does not tell is None or left out."""
    now = held(names)
    by_name = {each.pid: each.name for each in now.processes}
    order = list(Kind)
    return DeepScan(
        at=at,
        processes=len(now.processes),
        largest=_largest(),
        memory=_memory(),
        disks=tuple(disk for root in roots for disk in _disk(root)),
        connections=_connections(),
        sessions=_sessions(),
        protected=tuple(
            Protected(pid, by_name[pid], kind)
            for pid, kind in sorted(now.protected.items(), key=lambda each: (order.index(each[1]), each[0]))
        ),
        active=now.active,
        zombies=parents(now.processes, now.protected, restart),
        unseen=now.use.unseen,
    )


def _largest() -> tuple[tuple[str, int, int], ...]:
    found: list[tuple[int, int, str]] = []
    for process in psutil.process_iter(["pid", "name", "memory_info"], ad_value=None):
        memory = process.info["memory_info"]
        if memory is not None:
            found.append((int(memory.rss), int(process.info["pid"]), str(process.info["name"] or "?")))
    return tuple((name, pid, size) for size, pid, name in sorted(found, reverse=True)[:_LARGEST])


def _memory() -> Memory:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return Memory(total=memory.total, available=memory.available, swap_used=swap.used)


def _disk(root: Root) -> list[Disk]:
    try:
        figures = os.statvfs(root.path)
    except OSError:
        return []
    size = figures.f_frsize
    inodes = figures.f_favail if figures.f_files else None
    return [Disk(root.shown, figures.f_blocks * size, figures.f_bavail * size, inodes)]


def _connections() -> Mapping[str, int] | None:
    try:
        found = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return None
    return dict(sorted(Counter(str(each.status) for each in found).items()))


def _sessions() -> tuple[Session, ...]:
    return tuple(
        Session(each.name, each.terminal or "", each.host or "", datetime.fromtimestamp(each.started, UTC))
        for each in psutil.users()
    )
