"""What a cleanup stands beside: `move` renames files there and back with no question asked, `look` has psutil
say which files every process has open and mapped."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

import psutil


def move(folder: str, aside: str) -> dict[str, list[float]]:
    """Rename every file below the folder into `aside` by a number, and back."""
    os.mkdir(aside)
    paths = [entry.path for above in os.scandir(folder) if above.is_dir() for entry in os.scandir(above.path)]
    began = time.perf_counter()
    for number, path in enumerate(paths):
        os.rename(path, f"{aside}/{number}")
    there = time.perf_counter()
    for number, path in enumerate(paths):
        os.rename(f"{aside}/{number}", path)
    done = time.perf_counter()
    os.rmdir(aside)
    return {"there": [there - began], "back": [done - there]}


def look(rounds: str) -> dict[str, list[float]]:
    """Ask psutil, so often."""
    took = []
    for _ in range(int(rounds)):
        began = time.perf_counter()
        for process in psutil.process_iter():
            try:
                process.open_files()
                process.memory_maps()
                process.cwd()
                process.exe()
            except (psutil.Error, OSError):
                continue
        took.append(time.perf_counter() - began)
    return {"seconds": took}


if __name__ == "__main__":
    works: dict[str, Callable[..., dict[str, list[float]]]] = {"move": move, "look": look}
    print(json.dumps(works[sys.argv[1]](*sys.argv[2:])))
