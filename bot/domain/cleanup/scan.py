"""What a deep scan saw of the machine, and what is risky about that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.cleanup.processes import Kind
from bot.domain.cleanup.reasons import Risk
from bot.domain.cleanup.zombies import Parent

_MEMORY_LOW = 0.10
_DISK_LOW = 0.10


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes."""

    total: int
    available: int
    swap_used: int


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system of a root, in bytes; `inodes_free` is None where there is no such number."""

    path: str
    total: int
    free: int
    inodes_free: int | None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in."""

    user: str
    terminal: str
    host: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Protected:
    """A process that is left alone."""

    pid: int
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class DeepScan:
    """Processes, memory, disks, connections, sessions, at one moment."""

    at: datetime
    processes: int
    largest: tuple[tuple[str, int, int], ...]
    """name, pid and resident bytes of the largest processes"""
    memory: Memory
    disks: tuple[Disk, ...]
    connections: Mapping[str, int] | None
    """how many TCP connections are in which state; None when the system would not tell"""
    sessions: tuple[Session, ...]
    protected: tuple[Protected, ...]
    """sorted by kind and pid"""
    active: tuple[Kind, ...]
    """why the cleanup is partial; nothing: it is whole"""
    zombies: tuple[Parent, ...]
    unseen: int
    """processes of which it cannot be seen what they hold"""

    @property
    def partial(self) -> bool:
        """Whether somebody is at work, so that what they hold is left."""
        return bool(self.active)


def risks_of(scan: DeepScan) -> tuple[Risk, ...]:
    """What somebody who approves should know about the machine just now."""
    serving = (scan.connections or {}).get("ESTABLISHED", 0)
    named = {
        Risk.PROTECTED_ACTIVE: scan.partial,
        Risk.SESSIONS: bool(scan.sessions),
        Risk.SERVING: serving > 0,
        Risk.MEMORY_LOW: scan.memory.available < _MEMORY_LOW * scan.memory.total,
        Risk.DISK_LOW: any(disk.free < _DISK_LOW * disk.total for disk in scan.disks),
        Risk.USE_UNKNOWN: scan.unseen > 0,
    }
    return tuple(risk for risk, holds in named.items() if holds)
