"""What can be removed from the caches of npm, pip and Docker, and the commands that do it. Nothing here runs
them.

Each is removed by its own tool and by its id. pip has no ids for its HTTP cache: its cache is one entry, and
its size is part of what is approved. Docker has no other verb for its build cache than `builder prune`: it is
called once for each record, with the record's id as the filter, and never without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.cleanup.candidate import escape, unescape

_ID = re.compile(r"[a-z0-9]{8,80}|sha256:[0-9a-f]{64}")
_SIZE = re.compile(r"([0-9.]+)\s*([kKMGTP]?)B")
_FACTORS = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}


class CacheKind(StrEnum):
    """What kind of entry; words under `cleanup.cache`."""

    NPM = "npm"
    PIP = "pip"
    DOCKER_IMAGE = "docker_image"
    DOCKER_BUILD = "docker_build"


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One thing in a cache."""

    kind: CacheKind
    id: str
    size: int | None = None
    """bytes; None where the tool doesn't tell"""

    @property
    def line(self) -> bytes:
        """Its line in the list, with the line feed."""
        size = b"-" if self.size is None else b"%d" % self.size
        return b"%s\t%s\t%s\n" % (self.kind.value.encode(), escape(self.id.encode("utf-8", "replace")), size)


def entry_of(line: bytes) -> CacheEntry:
    """The entry of that line. Raises ValueError for anything else."""
    kind, name, size = line.rstrip(b"\n").split(b"\t")
    bytes_ = None if size == b"-" else int(size)
    return CacheEntry(CacheKind(kind.decode()), unescape(name).decode(), bytes_)


def removals(tool: Sequence[str], entries: Sequence[CacheEntry], at_once: int = 100) -> Iterable[
    tuple[tuple[str, ...], tuple[CacheEntry, ...]]
]:  # fmt: skip
    """The commands that remove `entries`, all of one kind, and which of them each removes."""
    if not entries:
        return
    kind = entries[0].kind
    if kind is CacheKind.NPM:
        for start in range(0, len(entries), at_once):
            some = tuple(entries[start : start + at_once])
            # Keys begin with a word of npm's and are no options, whatever a registry calls its packages.
            yield (*tool, "cache", "clean", "--", *(each.id for each in some)), some
        return
    for each in entries:
        match kind:
            case CacheKind.PIP:
                command = (*tool, "cache", "purge", "--no-input")
            case CacheKind.DOCKER_IMAGE:
                command = (*tool, "image", "rm", "--no-prune", checked_id(each.id))
            case CacheKind.DOCKER_BUILD:
                command = (*tool, "builder", "prune", "--force", "--filter", f"id={checked_id(each.id)}")
        yield command, (each,)


def checked_id(text: str) -> str:
    """`text` if it is an id of Docker's. Raises ValueError for anything else: it might widen a filter."""
    if not _ID.fullmatch(text):
        raise ValueError(f"no id of Docker's: {text[:80]!r}")
    return text


def size_of(text: str) -> int | None:
    """Docker's `1.2GB` in bytes, as exact as it is written; None if it is none."""
    found = _SIZE.fullmatch(text.strip())
    return None if found is None else round(float(found[1]) * _FACTORS[found[2]])
