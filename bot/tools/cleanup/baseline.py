"""What was bad before a run began, kept beside the lists: a run that goes on after a crash must not take for
old what its own first half has brought."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path

from bot.domain.cleanup.health import Measure


def path_of(folder: Path, run: int, plan_hash: str) -> Path:
    """The file for that run. Numbers begin again with a new database, so the plan is in its name."""
    return folder / f"before-{run}-{plan_hash[:16]}.json"


def read(path: Path) -> frozenset[Measure] | None:
    """What was bad; None where nothing was kept, or nothing that can be read."""
    try:
        found = json.loads(path.read_bytes())
        return frozenset(Measure(str(metric), str(target)) for metric, target in found)
    except (OSError, ValueError, TypeError):
        return None


def write(path: Path, bad: Collection[Measure]) -> None:
    """Keep it, wholly or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(sorted(bad)))
    os.replace(beside, path)
