"""What messages about cleanups need to know beside the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from messages.facts import Facts


@dataclass(frozen=True, slots=True)
class ScanDiskFacts(Facts):
    """The file system of a root; bytes."""

    path: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class CleanupScanFacts(Facts):
    """What the machine looked like when a cleanup was planned."""

    processes: int
    largest: tuple[tuple[str, int], ...]
    """name and resident bytes of the largest processes"""
    memory_total: int
    memory_available: int
    disks: tuple[ScanDiskFacts, ...]
    connections: Mapping[str, int] | None
    """TCP connections by state; None when the system would not tell"""
    sessions: tuple[tuple[str, str], ...]
    """user and terminal of who is logged in"""
    protected: Mapping[str, int]
    """how many processes are left alone, by why"""
    zombies: int
    unseen: int
    """processes of which it cannot be seen what they hold"""
    risks: tuple[str, ...]
