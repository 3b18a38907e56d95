"""How backups stand, by the document's four kinds, each with the figure that the document names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.backup.code import GitFacts, is_synchronised
from bot.domain.backup.gate import Proof, newest_proven
from bot.domain.backup.repositories import Place
from bot.domain.backup.snapshots import Taken
from bot.domain.backup.sources import Source, SourceKind

PROVING_TAKES = timedelta(hours=6)
"""A backup that is younger and not judged yet is no problem: it may still be copied and checked."""
DATABASE_POINTS = 3
"""`3개 지점 백업 확인`: points in time that one can go back to, each proven and in both repositories."""


class SourceState(StrEnum):
    """How a source's backups stand, the worst first. What it is called is in `backup.state`."""

    DAMAGED = "damaged"
    FAILED = "failed"
    """the last attempt failed"""
    NONE = "none"
    LATE = "late"
    UNVERIFIED = "unverified"
    PROVING = "proving"
    """it has just been made, and is not judged yet"""
    FEW_POINTS = "few_points"
    NOT_SYNCHRONISED = "not_synchronised"
    GOOD = "good"

    @property
    def is_bad(self) -> bool:
        """Whether people should know by an alert. Points of a new database only come with the days, and a
        commit that is not pushed yet is everyday work."""
        return self in _BAD


_BAD = frozenset({SourceState.DAMAGED, SourceState.FAILED, SourceState.LATE, SourceState.UNVERIFIED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last time that a source's backup was tried. `reason` is None when it went well."""

    source: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source. `figure` of `wanted`: points in time of a database, versions of configurations (nothing
    wanted), repositories of code that are synchronised, files of user data (nothing wanted)."""

    source: Source
    state: SourceState
    newest: Taken | None
    proven_at: datetime | None
    """when the newest proven backup was taken"""
    failed: str | None
    """why the last attempt failed"""
    figure: int
    wanted: int | None
    damaged_in: tuple[Place, ...] = ()
    """the repositories in which damage was found"""


def source_status(
    source: Source,
    taken: Collection[Taken],
    proofs: Collection[Proof],
    attempt: Attempt | None,
    repositories: Sequence[GitFacts],
    now: datetime,
) -> SourceStatus:
    """How that source stands; `taken` are its snapshots that are still kept, `proofs` its judgements."""
    newest = max(taken, key=lambda each: each.taken_at, default=None)
    proof = newest_proven(source.name, proofs)
    proven = {each.taken_at for each in proofs if each.verified}
    heads: Mapping[str, str] = {} if newest is None else newest.heads
    figure, wanted = 0, None
    match source.kind:
        case SourceKind.DATABASE:
            points = {each.taken_at for each in taken if each.copied is not None}
            figure, wanted = len(points & proven), DATABASE_POINTS
        case SourceKind.CONFIGS:
            figure = len({each.tree for each in taken})
        case SourceKind.CODE:
            figure = sum(is_synchronised(each, heads.get(each.path)) for each in repositories)
            wanted = len(repositories)
        case SourceKind.USER_DATA:
            figure = 0 if newest is None else newest.files
    state = _state(source, newest, proof, proofs, attempt, now)
    if state is SourceState.GOOD and wanted is not None and figure < wanted:
        is_code = source.kind is SourceKind.CODE
        state = SourceState.NOT_SYNCHRONISED if is_code else SourceState.FEW_POINTS
    failed = None if attempt is None else attempt.reason
    proven_at = None if proof is None else proof.taken_at
    judged = _last_judged(proofs) if state is SourceState.DAMAGED else None
    damaged_in = () if judged is None else judged.damaged_in
    return SourceStatus(source, state, newest, proven_at, failed, figure, wanted, damaged_in)


def _last_judged(proofs: Collection[Proof]) -> Proof | None:
    return max(proofs, key=lambda each: each.judged_at, default=None)


def _state(
    source: Source,
    newest: Taken | None,
    proof: Proof | None,
    proofs: Collection[Proof],
    attempt: Attempt | None,
    now: datetime,
) -> SourceState:
    judged = _last_judged(proofs)
    if judged is not None and judged.damaged:
        return SourceState.DAMAGED
    if attempt is not None and attempt.reason is not None:
        return SourceState.FAILED
    if newest is None:
        return SourceState.NONE
    if now - newest.taken_at > source.max_age:
        return SourceState.LATE
    if proof is None or proof.taken_at < newest.taken_at:
        is_judged = any(each.taken_at == newest.taken_at for each in proofs)
        if not is_judged and now - newest.taken_at <= PROVING_TAKES:
            return SourceState.PROVING
        return SourceState.UNVERIFIED
    return SourceState.GOOD
