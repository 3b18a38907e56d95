"""No work without a backup: whether what is to be touched has a proven backup that is young enough."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue

from bot.domain.backup.repositories import Place
from bot.domain.backup.sources import Source, holds

DEFAULT_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Proof:
    """One judgement of a snapshot of a source: verified or not, and whether damage was found."""

    source: str
    taken_at: datetime
    judged_at: datetime
    verified: bool
    damaged: bool = False
    paths: tuple[str, ...] = ()
    """what the snapshot has: the configuration may name more by now"""
    exclude: tuple[str, ...] = ()
    damaged_in: tuple[Place, ...] = ()
    """where the damage was found"""


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Why work must not begin. The sentence is `backup.uncovered.REASON` with `values`; `sources` are those
    whose backup would help, for the button that makes one."""

    reason: str
    what: str
    sources: tuple[str, ...] = ()
    values: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Covered:
    """Work may begin. What has changed since the backup was taken is not in it, and must be left alone.
    `saved_at`: for each thing that was asked for, when the backup that has it was taken."""

    saved_at: Mapping[str, datetime]


def newest_proven(source: str, proofs: Collection[Proof]) -> Proof | None:
    """The newest backup of that source that is proven; None if there is none."""
    return max(still_proven(source, proofs), key=lambda each: each.taken_at, default=None)


def still_proven(source: str, proofs: Collection[Proof]) -> list[Proof]:
    """The backups of that source that are verified and of which no later judgement of the source has found
    damage. Not having been able to look later takes nothing away."""
    mine = [each for each in proofs if each.source == source]
    damaged_at = max((each.judged_at for each in mine if each.damaged), default=None)
    return [each for each in mine if each.verified and (damaged_at is None or each.judged_at > damaged_at)]


def with_standing(
    proofs: Collection[Proof], sources: Collection[str], found_at: Collection[datetime]
) -> list[Proof]:
    """The judgements, and for each source that a repository was found damaged at those moments: it is part of
    every source's backups, whichever run came upon it."""
    damage = [Proof(name, at, at, verified=False, damaged=True) for name in sources for at in found_at]
    return [*proofs, *damage]


def coverage(
    touched: Sequence[str],
    sources: Collection[Source],
    proofs: Collection[Proof],
    now: datetime,
    within: timedelta = DEFAULT_WITHIN,
    at: datetime | None = None,
) -> Covered | Uncovered:
    """Whether that may be touched: why not, for the first thing that is not covered. What is touched is an
    absolute path, free of symbolic links, or the name of a source, such as a database's.

    `at`: the moment of a plan that is made anew. It goes by the backup that counted then, so that a newer
    one does not make it another plan."""
    if not touched:
        return Uncovered("nothing_named", "")
    saved_at: dict[str, datetime] = {}
    for what in touched:
        holding = [each for each in sources if (each.holds(what) if what[:1] == "/" else each.name == what)]
        if not holding:
            left_out = [each.name for each in sources if what[:1] == "/" and each.leaves_out(what)]
            if left_out:
                return Uncovered("left_out", what, values={"source": left_out[0]})
            return Uncovered("no_source", what)
        found = _young_enough(what, tuple(each.name for each in holding), proofs, now, within)
        if isinstance(found, Uncovered):
            return found
        then = [each.taken_at for each in found if at is None or each.judged_at <= at]
        saved_at[what] = max(then, default=max(each.taken_at for each in found))
    return Covered(saved_at)


def _young_enough(
    what: str, names: tuple[str, ...], proofs: Collection[Proof], now: datetime, within: timedelta
) -> list[Proof] | Uncovered:
    """The backups that are proven and have it; or why none of them will do."""
    fitting = [
        each for each in proofs if what[:1] != "/" or each.damaged or holds(each.paths, each.exclude, what)
    ]
    proven = [each for name in names for each in still_proven(name, fitting)]
    if not proven:
        damaged = any(each.damaged for each in proofs if each.source in names)
        return Uncovered("damaged" if damaged else "none_verified", what, names)
    age = now - max(each.taken_at for each in proven)
    if age < timedelta(0):
        # A clock that was set back: how old the backup is nobody can say.
        return Uncovered("from_the_future", what, names)
    if age > within:
        values: dict[str, JsonValue] = {"age": age.total_seconds(), "most": within.total_seconds()}
        return Uncovered("too_old", what, names, values)
    return proven
