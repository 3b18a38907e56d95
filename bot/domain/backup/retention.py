"""Which snapshots may be forgotten: those older than 90 days from now, and never the last proven one.

restic's own `--keep-within` counts from the newest snapshot: after a pause it would keep less, or more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

KEEP = timedelta(days=90)
"""The document's figure."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot that lies in the repository."""

    snapshot: str
    source: str
    taken_at: datetime
    verified: bool


def to_forget(kept: Iterable[Kept], now: datetime, keep: timedelta = KEEP) -> tuple[str, ...]:
    """The snapshots to forget, oldest first. A source without any verified snapshot loses none: until one is
    proven nobody knows which of them is any good."""
    by_source: dict[str, list[Kept]] = {}
    for each in kept:
        by_source.setdefault(each.source, []).append(each)
    gone: list[Kept] = []
    for snapshots in by_source.values():
        proven = [each for each in snapshots if each.verified]
        if not proven:
            continue
        last = max(proven, key=lambda each: each.taken_at)
        gone += [each for each in snapshots if now - each.taken_at > keep and each is not last]
    return tuple(each.snapshot for each in sorted(gone, key=lambda each: (each.taken_at, each.snapshot)))
