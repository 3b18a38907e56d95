"""The parts of a cleanup, by themselves: `litter`, `plan`, `move`, `look`, each with its figures as JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.cleanup.rules import AgeBy, FileRules, Root, Stage, cut_off
from bot.tools.cleanup.deep_scan import held
from bot.tools.cleanup.in_use import InUse
from bot.tools.cleanup.journal import Header
from bot.tools.cleanup.keeping import restore
from bot.tools.cleanup.lists import below
from bot.tools.cleanup.quarantine import Move, put
from bot.tools.cleanup.scan import scan

_IN_ONE = 1000
_OLD = 60 * 86400
_KIB = 1024


def litter(folder: str, count: str) -> dict[str, list[float]]:
    """Make so many small old files below the folder, a thousand a directory."""
    old = int(time.time() - _OLD)
    began = time.perf_counter()
    for number in range(int(count)):
        directory = f"{folder}/{number // _IN_ONE:05}"
        if number % _IN_ONE == 0:
            os.mkdir(directory)
        descriptor = os.open(f"{directory}/file-{number}", os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, b"old\n")
        os.utime(descriptor, (old, old))
        os.close(descriptor)
    return {"seconds": [time.perf_counter() - began]}


def plan(folder: str, lists: str) -> dict[str, list[float]]:
    """Make the list, sorted and hashed; the look at what is in use is part of it."""
    before = _resident()
    began = time.perf_counter()
    listing = scan(_rules(folder), datetime.now(UTC), held().use, Path(lists))
    took = time.perf_counter() - began
    return {"seconds": [took], "count": [listing.count], "before": [before], "peak": [_resident()]}


def move(folder: str, lists: str) -> dict[str, list[float]]:
    """Move all of it into quarantine and back."""
    at = datetime.now(UTC)
    rules = _rules(folder)
    listing = scan(rules, at, InUse(), Path(lists))
    (root,) = rules.roots
    header = Header(1, Stage.TEMPORARY, root.path, at, at + timedelta(days=7))
    wanted = Move(header, listing.sha256, cut_off(rules, at), rules.age_by)
    began = time.perf_counter()
    moved = put(
        root,
        below(root, Path(listing.path)),
        wanted,
        lambda: InUse(),
        lambda count: None,
        lambda: False,
    )
    there = time.perf_counter()
    back = restore(root, 1, lambda count: None)
    done = time.perf_counter()
    if not moved.done == back.done == listing.count:
        raise SystemExit(f"{moved.done} there, {back.done} back of {listing.count}")
    return {"there": [there - began], "back": [done - there]}


def look(rounds: str) -> dict[str, list[float]]:
    """Look at what is in use, so often."""
    took = []
    for _ in range(int(rounds)):
        began = time.perf_counter()
        found = held()
        took.append(time.perf_counter() - began)
    return {"seconds": took, "processes": [len(found.processes)], "files": [len(found.use.held)]}


def _rules(folder: str) -> FileRules:
    return FileRules((Root(os.fsencode(folder)),), ("*",), timedelta(days=7), AgeBy.MODIFIED)


def _resident() -> float:
    """The most that this process has had in memory, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB


if __name__ == "__main__":
    works: dict[str, Callable[..., dict[str, list[float]]]] = {
        "litter": litter,
        "plan": plan,
        "move": move,
        "look": look,
    }
    print(json.dumps(works[sys.argv[1]](*sys.argv[2:])))
