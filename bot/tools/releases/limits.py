"""What a process may use of its machine: cores and memory, by its affinity and its control groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Limits:
    """What it may use: `cores` may be a fraction, `memory` is in bytes."""

    cores: float
    memory: int


def limits(
    process: psutil.Process, groups: Path = Path("/sys/fs/cgroup"), membership: Path | None = None
) -> Limits:
    """The limits of a process: the narrowest of the machine, its affinity, and the control groups (version 2
    and 1) that it is in. Raises psutil.Error when it is gone."""
    cores = float(len(process.cpu_affinity() or [0]))
    memory = psutil.virtual_memory().total
    for folder, version in _groups(membership or Path(f"/proc/{process.pid}/cgroup"), groups):
        cores = min(cores, _cores(folder, version) or cores)
        memory = min(memory, _memory(folder, version) or memory)
    return Limits(cores, memory)


def _groups(membership: Path, root: Path) -> Iterator[tuple[Path, int]]:
    """The folders of its groups up to the top, each with the version of its files (cgroups(7))."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        tops = [(root, 2)] if not controllers else [(root / name, 1) for name in controllers.split(",")]
        for top, version in tops:
            # In a container the path may be the machine's, which isn't to be seen there: the top alone is.
            folder = top / path.lstrip("/")
            for each in (folder, *folder.parents):
                yield each, version
                if each == top:
                    break


def _cores(folder: Path, version: int) -> float | None:
    if version == 2:
        words = (_read(folder / "cpu.max") or "max").split()
        quota, period = words[0], words[1] if len(words) > 1 else ""
    else:
        quota, period = _read(folder / "cpu.cfs_quota_us") or "", _read(folder / "cpu.cfs_period_us") or ""
    if quota.isdecimal() and period.isdecimal() and int(quota) > 0 and int(period) > 0:
        return int(quota) / int(period)
    return None


def _memory(folder: Path, version: int) -> int | None:
    said = _read(folder / ("memory.max" if version == 2 else "memory.limit_in_bytes")) or ""
    return int(said) if said.isdecimal() and int(said) > 0 else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
