"""Cleanups: planning over a million small files beside `find` and what else is there for that, quarantine and
undo beside plain renames, and the look at what is in use."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from bench.figures import Figure, Result, middle
from bench.program import told_by

NAME = "cleanup"
MEMORY_AIM = 200.0
"""MiB, however many files there are"""
_SAME = "find, sort and sha256sum"
_LIST = "%p\t%s\t%T@\t%D\t%i\n"


async def measure(quick: bool) -> Result:
    """Figures of each part, on trees of their own below the folder for temporary files."""
    many, some, rounds = (2_000, 1_000, 1) if quick else (1_000_000, 100_000, 3)
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name:
        folder = Path(name)
        planned, peers, figures = await _planning(folder, many, rounds)
        moves, more = await _moving(folder, some, rounds)
    looks, last = await _looking(3 if quick else 15)
    method = f"{many:,} and {some:,} files, a thousand a directory, warm cache, by turns, medians of {rounds}"
    runs: dict[str, JsonValue] = {**planned, **peers, **moves, **looks}
    return Result(NAME, method, [*figures, *more, *last], runs)


async def _planning(
    folder: Path, count: int, rounds: int
) -> tuple[dict[str, JsonValue], dict[str, JsonValue], list[Figure]]:
    tree, lists, out = folder / "many", folder / "lists", folder / "out"
    tree.mkdir()
    await told_by(["-m", "bench.parts.cleaning", "litter", str(tree), str(count)])
    others = {"find": _find(tree), **_tmpreaper(tree), **_tmpfiles(tree, folder)}
    took: dict[str, list[float]] = {name: [] for name in (*others, _SAME)}
    ours: list[float] = []
    told: dict[str, list[float]] = {}
    await _timed(others["find"], out)  # what is read from the disk is in memory for all of them now
    for _ in range(rounds):
        for name, command in others.items():
            took[name].append(await _timed(command, out))
        took[_SAME].append(await _same(tree, folder))
        told = await told_by(["-m", "bench.parts.cleaning", "plan", str(tree), str(lists)])
        ours += told["seconds"]
        if round(told["count"][0]) != count:
            raise ValueError(f"{told['count'][0]} of {count} files were listed")
    shutil.rmtree(tree)
    figures = [
        Figure(f"plan over {count:,} files, beside {name}", "s", middle(seconds), middle(ours))
        for name, seconds in took.items()
    ]
    memory = Figure(
        f"plan over {count:,} files: memory, beside that of the start", "MiB",
        told["before"][0], told["peak"][0], at_most=MEMORY_AIM,
    )  # fmt: skip
    runs: dict[str, JsonValue] = {f"plan {name}": [*seconds] for name, seconds in took.items()}
    return {"plan guardian": [*ours]}, runs, [*figures, memory]


async def _moving(folder: Path, count: int, rounds: int) -> tuple[dict[str, JsonValue], list[Figure]]:
    tree, lists, aside = folder / "some", folder / "lists", folder / "aside"
    tree.mkdir()
    await told_by(["-m", "bench.parts.cleaning", "litter", str(tree), str(count)])
    floor: dict[str, list[float]] = {"there": [], "back": []}
    ours: dict[str, list[float]] = {"there": [], "back": []}
    for _ in range(rounds):
        plain = await told_by(["-m", "bench.floors.renames", "move", str(tree), str(aside)])
        told = await told_by(["-m", "bench.parts.cleaning", "move", str(tree), str(lists)])
        for way in ("there", "back"):
            floor[way] += plain[way]
            ours[way] += told[way]
    names = {"there": "quarantine", "back": "undo"}
    figures = [
        Figure(f"{names[way]} of {count:,} files", "s", middle(floor[way]), middle(ours[way]))
        for way in names
    ]
    runs: dict[str, JsonValue] = {f"renames {way}": [*seconds] for way, seconds in floor.items()}
    runs.update((f"{names[way]} guardian", [*seconds]) for way, seconds in ours.items())
    return runs, figures


async def _looking(rounds: int) -> tuple[dict[str, JsonValue], list[Figure]]:
    floor = await told_by(["-m", "bench.floors.renames", "look", str(rounds)])
    ours = await told_by(["-m", "bench.parts.cleaning", "look", str(rounds)])
    what = "look at what is in use, and who is protected, beside psutil"
    figure = Figure(what, "ms", 1000 * middle(floor["seconds"]), 1000 * middle(ours["seconds"]))
    return {f"look {name}": [*values] for name, values in ours.items()}, [figure]


def _find(tree: Path) -> list[str]:
    return ["find", str(tree), "-xdev", "-type", "f", "-mtime", "+7", "-printf", _LIST]


def _tmpreaper(tree: Path) -> dict[str, list[str]]:
    """The command, if it is installed."""
    found = shutil.which("tmpreaper")
    if found is None:
        return {}
    return {"tmpreaper --test": [found, "--test", "--mtime", "--runtime=0", "7d", str(tree)]}


def _tmpfiles(tree: Path, folder: Path) -> dict[str, list[str]]:
    """The command, if it is installed and can be run dry (systemd 256)."""
    found = shutil.which("systemd-tmpfiles")
    if found is None:
        return {}
    rules = folder / "tmpfiles.conf"
    rules.write_text(f"e {tree} - - - m:7d\n")
    return {"systemd-tmpfiles --dry-run": [found, "--clean", "--dry-run", str(rules)]} if _dry(found) else {}


def _dry(program: str) -> bool:
    return b"--dry-run" in Path(program).read_bytes()


async def _same(tree: Path, folder: Path) -> float:
    """The same result by three programs: the list, in order, and its hash."""
    whole = time.perf_counter()
    await _timed(_find(tree), folder / "found")
    await _timed(["sort", "-o", str(folder / "sorted"), str(folder / "found")], folder / "out")
    await _timed(["sha256sum", str(folder / "sorted")], folder / "out")
    return time.perf_counter() - whole


async def _timed(command: Sequence[str], out: Path) -> float:
    """Seconds that a program takes; what it says goes to the file `out`. Raises ValueError if it fails."""
    began = time.perf_counter()
    with out.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=file, stderr=asyncio.subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}
        )
        _, complaints = await process.communicate()
    if process.returncode != 0:
        raise ValueError(f"{command[0]}: {complaints.decode(errors='replace')[-500:]}")
    return time.perf_counter() - began
