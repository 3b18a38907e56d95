"""The caches of npm, pip and Docker, listed and emptied by their own tools.

They are those of the user that Guardian runs as. A tool that is not there, or doesn't answer, has nothing to
offer and is named.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from pydantic import JsonValue

from bot.domain.cleanup.caches import CacheEntry, CacheKind, checked_id, removals, size_of
from bot.domain.cleanup.rules import CacheRules
from bot.tools.cleanup.commands import CommandFailed, Run

_PIPS = ("http", "http-v2", "wheels")
"""the directories that pip purges"""


@dataclass(frozen=True, slots=True)
class Caches:
    """What there is to remove, sorted, and the tools that would not say."""

    entries: tuple[CacheEntry, ...]
    absent: tuple[str, ...] = ()


@dataclass(slots=True)
class Removed:
    """What became of it."""

    done: int = 0
    gone: int = 0
    """no longer there"""
    failed: list[str] = field(default_factory=list)
    """what the tools said, one line for each that would not"""
    stopped: bool = False


def find(rules: CacheRules, run: Run) -> Caches:
    """List what each tool would remove. Nothing is changed."""
    entries: list[CacheEntry] = []
    absent: list[str] = []
    looks: tuple[tuple[str, tuple[str, ...] | None, _Look], ...] = (
        ("npm", rules.npm, _npm),
        ("pip", rules.pip, _pip),
        ("docker", rules.docker, _docker),
    )
    for name, tool, look in looks:
        if tool is None:
            continue
        try:
            entries += look(tool, run)
        except (CommandFailed, ValueError):
            absent.append(name)
    return Caches(tuple(sorted(entries, key=lambda entry: (entry.kind, entry.id))), tuple(absent))


def remove(
    rules: CacheRules,
    approved: Sequence[CacheEntry],
    run: Run,
    tick: Callable[[int], None],
    stop: Callable[[], bool],
) -> Removed:
    """Remove what was approved and is still there as it was. What one tool refuses keeps no other from it."""
    present = set(find(rules, run).entries)
    removed = Removed()
    tools = {
        CacheKind.NPM: rules.npm,
        CacheKind.PIP: rules.pip,
        CacheKind.DOCKER_IMAGE: rules.docker,
        CacheKind.DOCKER_BUILD: rules.docker,
    }
    for kind, group in groupby(approved, key=lambda entry: entry.kind):
        wanted = list(group)
        still = [entry for entry in wanted if entry in present]
        removed.gone += len(wanted) - len(still)
        tool = tools[kind]
        if tool is None:
            continue
        for command, some in removals(tool, still):
            if stop():
                removed.stopped = True
                return removed
            try:
                run(command)
            except CommandFailed as failed:
                removed.failed.append(f"{kind.value} {some[0].id}: {failed.detail}")
            else:
                removed.done += len(some)
            tick(len(some))
    return removed


_Look = Callable[[Sequence[str], Run], Iterable[CacheEntry]]


def _npm(tool: Sequence[str], run: Run) -> list[CacheEntry]:
    keys = run((*tool, "cache", "ls")).out.splitlines()
    # npm names what it keeps by keys such as make-fetch-happen:request-cache:ADDRESS.
    return [CacheEntry(CacheKind.NPM, key) for key in keys if ":" in key]


def _pip(tool: Sequence[str], run: Run) -> list[CacheEntry]:
    folder = run((*tool, "cache", "dir")).out.strip()
    if not os.path.isabs(folder):
        raise ValueError(folder)
    count, size = map(sum, zip(*(_size_below(Path(folder) / name) for name in _PIPS), strict=True))
    return [CacheEntry(CacheKind.PIP, folder, size)] if count else []


def _docker(tool: Sequence[str], run: Run) -> list[CacheEntry]:
    found = list(_images(run((*tool, "image", "ls", "--filter", "dangling=true", "--no-trunc",
                              "--format", "{{json .}}")).out))  # fmt: skip
    usage = json.loads(run((*tool, "system", "df", "--verbose", "--format", "{{json .BuildCache}}")).out)
    return found + list(_build_cache(usage))


def _images(out: str) -> Iterator[CacheEntry]:
    for line in out.splitlines():
        image = json.loads(line)
        yield CacheEntry(
            CacheKind.DOCKER_IMAGE, checked_id(_text(image, "ID")), size_of(_text(image, "Size"))
        )


def _build_cache(records: JsonValue) -> Iterator[CacheEntry]:
    for record in records if isinstance(records, list) else ():
        if isinstance(record, dict) and record.get("InUse") not in (True, "true"):
            size = record.get("Size")
            size = size if isinstance(size, int) else size_of(str(size))
            yield CacheEntry(CacheKind.DOCKER_BUILD, checked_id(_text(record, "ID")), size)


def _text(data: JsonValue, name: str) -> str:
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, str):
        raise ValueError(f"no {name}")
    return value


def _size_below(folder: Path) -> tuple[int, int]:
    """How many files there are, and their bytes."""
    count = size = 0
    for above, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(above, name)).st_size
                count += 1
            except OSError:
                continue
    return count, size
