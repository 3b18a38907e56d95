"""The memory limit of the container this process is in (Linux control groups, version 2 and 1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """Bytes used and allowed. `used` leaves out file cache not used of late, as `docker stats` does."""

    used: int
    total: int


def memory_limit(root: Path) -> MemoryLimit | None:
    """The limit at the top of the control groups that are visible under `root`; None when there is none.

    Only the top is asked: in a container that is the container, on a machine it has no limit. The limit of
    a service that the Guardian runs as says nothing about the machine it watches, so it is not looked at.
    """
    for folder, limit, usage, inactive in (
        (root, "memory.max", "memory.current", "inactive_file"),
        (root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            text = (folder / limit).read_text().strip()
            if text == "max":
                return None
            used = int((folder / usage).read_text())
            cache = _statistic(folder / "memory.stat", inactive)
            return MemoryLimit(used=max(0, used - cache), total=int(text))
        except (OSError, ValueError):
            continue  # not this version, or not readable for us: the machine's own figures stand
    return None


def _statistic(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
