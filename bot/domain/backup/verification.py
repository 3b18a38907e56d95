"""When a backup is verified: a decision over what was found out about it.

A part that was not looked at counts as failed: nothing is proven by not having been checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import JsonValue

from bot.domain.backup.repositories import Place


class Part(StrEnum):
    """What is looked at. What it is called is in `backup.part`."""

    SNAPSHOT = "snapshot"
    """it is there, whole and fresh"""
    COPY = "copy"
    """the off-site repository has it with the same content"""
    CHECK = "check"
    """the structure of a repository"""
    READ = "read"
    """the day's share of its data, read and compared with its hashes"""
    CANARY = "canary"
    """a file restored from it and compared"""
    MEDIA = "media"
    """the repositories are on two media"""


WANTED: tuple[tuple[Part, Place | None], ...] = (
    (Part.SNAPSHOT, Place.LOCAL),
    (Part.COPY, Place.OFFSITE),
    (Part.CHECK, Place.LOCAL),
    (Part.CHECK, Place.OFFSITE),
    (Part.READ, Place.LOCAL),
    (Part.READ, Place.OFFSITE),
    (Part.CANARY, Place.LOCAL),
    (Part.CANARY, Place.OFFSITE),
    (Part.MEDIA, None),
)
"""All that must be found well (design, Backups 3-2-1)."""

DAMAGE = frozenset({"damaged", "canary_differs", "file_not_in_snapshot", "snapshot_gone", "copy_differs"})
"""Reasons that say that a backup is bad, beside those that only say that nobody could tell."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of looking at one part. `reason` is None when it is well; else its sentence is
    `backup.reason.REASON` with `values`."""

    part: Part
    place: Place | None
    at: datetime
    seconds: float
    reason: str | None = None
    values: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def is_damage(self) -> bool:
        """Whether it says that the backup is bad."""
        return self.reason in DAMAGE


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """Why a backup is not verified, one of possibly several."""

    part: Part
    place: Place | None
    reason: str
    values: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a backup is verified, and why not."""

    at: datetime
    shortcomings: tuple[Shortcoming, ...] = ()
    damaged: bool = False

    @property
    def verified(self) -> bool:
        """`백업 완료, 검증됨`: only so."""
        return not self.shortcomings


def places_of_damage(reasons: Iterable[tuple[str, Place | None]]) -> tuple[Place, ...]:
    """Of shortcomings, each a reason and a place, the repositories that are damaged."""
    found = {place for reason, place in reasons if reason in DAMAGE}
    return tuple(place for place in Place if place in found)


def standing_damage(reads: Iterable[Finding]) -> list[Finding]:
    """Of what came of reading shares of the repositories, the damage that nothing has disproved: a share that
    was found damaged stays so until that very share is read well. That another one is well says nothing."""
    last: dict[tuple[Place | None, JsonValue], Finding] = {}
    for finding in sorted(reads, key=lambda each: each.at):
        if finding.reason is None or finding.is_damage:
            last[finding.place, finding.values.get("share")] = finding
    return [each for each in last.values() if each.is_damage]


def verdict(
    taken_at: datetime,
    findings: Iterable[Finding],
    now: datetime,
    max_age: timedelta,
    standing: Iterable[Finding] = (),
) -> Verdict:
    """What those findings make of a backup of that moment. Of several about one thing the last counts; one
    that is older than the backup is about another."""
    last: dict[tuple[Part, Place | None], Finding] = {}
    for finding in sorted(findings, key=lambda each: each.at):
        if finding.at >= taken_at:
            last[finding.part, finding.place] = finding
    short: list[Shortcoming] = []
    age = now - taken_at
    if age > max_age:
        values: dict[str, JsonValue] = {"age": age.total_seconds(), "most": max_age.total_seconds()}
        short.append(Shortcoming(Part.SNAPSHOT, Place.LOCAL, "too_old", values))
    for part, place in WANTED:
        found = last.get((part, place))
        if found is None:
            short.append(Shortcoming(part, place, "not_checked"))
        elif found.reason is not None:
            short.append(Shortcoming(part, place, found.reason, found.values))
    known = {(each.part, each.place, each.reason) for each in short}
    damaged = any(each.is_damage for each in last.values())
    for each in standing:
        damaged = True
        if (each.part, each.place, each.reason) not in known:
            short.append(Shortcoming(each.part, each.place, each.reason or "damaged", each.values))
    return Verdict(now, tuple(short), damaged)
