"""The plan of a cleanup, from what the scan found: one step a stage.

Only what decides about the outcome is in it, because all of it is bound by its hash. The deep scan, whose
figures change by the second, is shown beside it and not part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from pydantic import JsonValue

from bot.domain.cleanup.caches import CacheEntry
from bot.domain.cleanup.candidate import Candidate, shown
from bot.domain.cleanup.reasons import Left, Risk
from bot.domain.cleanup.rules import FILE_STAGES, Stage, moment_of
from bot.domain.cleanup.zombies import Parent
from bot.domain.operations.plan import OnFailure, Plan, PlanFile, Step

RESTORE = "restore"
"""how a stage of files is undone"""


@dataclass(frozen=True, slots=True)
class Listing:
    """The list of a stage: its figures, and where it is."""

    path: str
    sha256: str
    count: int = 0
    bytes: int = 0
    """of all of them; the space of files with further names comes free with the last one only"""
    oldest_ns: int | None = None
    largest: tuple[Candidate, ...] = ()
    linked: int = 0
    """how many have further names"""
    left: Mapping[Left, int] = field(default_factory=dict)
    """what is old enough and was left off the list, by reason"""


@dataclass(frozen=True, slots=True)
class CacheListing:
    """The list of the caches."""

    path: str
    sha256: str
    entries: tuple[CacheEntry, ...] = ()
    absent: tuple[str, ...] = ()
    """tools that are not there, or don't answer"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the plan is made of. Only stages that were asked for are there."""

    subject: str
    at: datetime
    quarantine_for: timedelta
    files: Mapping[Stage, Listing] = field(default_factory=dict)
    roots: Mapping[Stage, Sequence[str]] = field(default_factory=dict)
    caches: CacheListing | None = None
    zombies: Sequence[Parent] | None = None
    unseen: bool = False


def plan(facts: Facts) -> Plan:
    """The plan. Equal facts give an equal one, and so the same hash."""
    steps: list[Step] = []
    files: list[PlanFile] = []
    for stage in FILE_STAGES:
        if stage in facts.files:
            listing = facts.files[stage]
            steps.append(Step(stage.step, _figures(listing, facts.roots.get(stage, ())), RESTORE))
            files.append(PlanFile(f"{stage.value}.txt", listing.path, listing.sha256))
    if facts.caches is not None:
        steps.append(Step(Stage.CACHES.step, _caches(facts.caches)))
        files.append(PlanFile(f"{Stage.CACHES.value}.txt", facts.caches.path, facts.caches.sha256))
    if facts.zombies is not None:
        # Only what will be done: zombies that are merely reported come and go, and bind nobody.
        parents: list[JsonValue] = [_parent(each) for each in facts.zombies if each.restart is not None]
        steps.append(Step(Stage.ZOMBIES.step, {"count": len(parents), "parents": parents}))
    return Plan(
        operation="cleanup",
        subject=facts.subject,
        at=facts.at,
        steps=tuple(steps),
        shown={
            "risks": [risk.value for risk in _risks(facts)],
            "count": sum(each.count for each in facts.files.values()),
            "bytes": sum(each.bytes for each in facts.files.values()),
            "quarantine_seconds": round(facts.quarantine_for.total_seconds()),
        },
        files=tuple(files),
        on_failure=OnFailure.UNDO_STEP,
    )


def is_empty(facts: Facts) -> bool:
    """Whether there is nothing at all to do or to report."""
    nothing_cached = facts.caches is None or not facts.caches.entries
    return nothing_cached and not facts.zombies and not any(each.count for each in facts.files.values())


def after_backup(facts: Facts) -> int:
    """How many files are left only because they changed after their backup."""
    return sum(each.left.get(Left.AFTER_BACKUP, 0) for each in facts.files.values())


def _figures(listing: Listing, roots: Sequence[str]) -> dict[str, JsonValue]:
    oldest = None if listing.oldest_ns is None else moment_of(listing.oldest_ns).isoformat()
    largest: list[JsonValue] = [
        {
            "path": shown(each.path),
            "size": each.size,
            "modified": moment_of(each.mtime_ns).isoformat(),
        }
        for each in listing.largest
    ]
    return {
        "roots": list(roots),
        "count": listing.count,
        "bytes": listing.bytes,
        "oldest": oldest,
        "largest": largest,
        "linked": listing.linked,
        "left": {reason.value: count for reason, count in sorted(listing.left.items()) if count},
        "list": listing.sha256,
    }


def _caches(listing: CacheListing) -> dict[str, JsonValue]:
    kinds: dict[str, JsonValue] = {}
    for kind, group in groupby(listing.entries, key=lambda entry: entry.kind):
        entries = list(group)
        sizes = [entry.size for entry in entries if entry.size is not None]
        kinds[kind.value] = {"count": len(entries), "bytes": sum(sizes) if sizes else None}
    return {"caches": kinds, "absent": list(listing.absent), "list": listing.sha256}


def _parent(parent: Parent) -> dict[str, JsonValue]:
    # Not how many zombies it has: of a parent that leaks them there are more each second, and nothing that
    # is done depends on it.
    return {
        "pid": parent.pid,
        "name": parent.name,
        "started": round(parent.started),
        "supervisor": parent.supervisor,
        "restart": list(parent.restart or ()),
    }


def _risks(facts: Facts) -> list[Risk]:
    left = [reason for each in facts.files.values() for reason, count in each.left.items() if count]
    restarts = [each for each in facts.zombies or () if each.restart is not None]
    named = {
        Risk.HARD_LINKS: any(each.linked for each in facts.files.values()),
        Risk.USE_UNKNOWN: facts.unseen and bool(facts.files),
        Risk.UNREADABLE: Left.UNREADABLE in left or Left.NOT_ALLOWED in left,
        Risk.NO_UNDO: facts.caches is not None and bool(facts.caches.entries),
        Risk.RESTART: bool(restarts),
    }
    return [risk for risk, holds in named.items() if holds]
