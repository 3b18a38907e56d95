"""The rules of a cleanup: where each stage may look, what it may take, and how old that must be."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

QUARANTINE = ".guardian-quarantine"
"""the hidden directory at the top of a root, where none is configured"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COARSEST = timedelta(seconds=2)
"""to which some file systems (FAT) round the times of files"""
_NOTHING: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class Stage(StrEnum):
    """The stages, in the order in which they are done."""

    LOGS = "logs"
    TEMPORARY = "temporary"
    CACHES = "caches"
    ZOMBIES = "zombies"

    @property
    def step(self) -> str:
        """What the stage is called as a step of a plan."""
        return f"clean_{self.value}"


FILE_STAGES = (Stage.LOGS, Stage.TEMPORARY)
"""those that move files into quarantine, and can be undone"""


class AgeBy(StrEnum):
    """From when a file's age counts."""

    MODIFIED = "modified"
    """its content was last written: right for logs, which are renamed every day"""
    CHANGED = "changed"
    """the same, or it was last renamed, copied here or given other rights: an archive that was unpacked
    this morning has old contents and is still in work"""


@dataclass(frozen=True, slots=True)
class Root:
    """A directory below which a stage may look. Two roots never hold one another."""

    path: bytes
    """absolute, without `.`, `..` and links"""
    quarantine: bytes | None = None
    """absolute; None: QUARANTINE at its top. It has to be on the same file system."""

    @property
    def shown(self) -> str:
        """The path, for people."""
        return self.path.decode(errors="backslashreplace")

    @property
    def quarantine_path(self) -> bytes:
        """Where its files go."""
        return (
            os.path.join(self.path, os.fsencode(QUARANTINE)) if self.quarantine is None else self.quarantine
        )


@dataclass(frozen=True, slots=True)
class FileRules:
    """One stage of files."""

    roots: tuple[Root, ...]
    patterns: tuple[str, ...]
    """names of files, `*` for anything; one of them has to match"""
    min_age: timedelta
    age_by: AgeBy = AgeBy.MODIFIED
    keep: tuple[str, ...] = ()
    """names of files and directories that are left, with all that is in them"""
    never: tuple[bytes, ...] = ()
    """absolute paths of directories that are not entered: where Guardian keeps its own things"""
    in_use_respected: bool = True
    """whether what any process holds is left; what a protected process holds always is"""


@dataclass(frozen=True, slots=True)
class CacheRules:
    """The caches that are emptied, each by its own tool: how the tool is called, None to leave its cache."""

    npm: tuple[str, ...] | None = ("npm",)
    pip: tuple[str, ...] | None = ("python3", "-m", "pip")
    docker: tuple[str, ...] | None = ("docker",)


@dataclass(frozen=True, slots=True)
class Rules:
    """All of it. A stage without rules does not exist here."""

    files: Mapping[Stage, FileRules]
    caches: CacheRules | None = None
    restart: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    """by the name of a process with zombies: the command that makes its supervisor restart it"""
    zombies: bool = True
    quarantine_for: timedelta = timedelta(days=7)
    protected: tuple[str, ...] = ()
    """names of further processes that are left alone, with all that they started and hold"""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Those that have rules, in their order."""
        return tuple(
            stage
            for stage in Stage
            if stage in self.files
            or (stage is Stage.CACHES and self.caches is not None)
            or (stage is Stage.ZOMBIES and self.zombies)
        )

    def roots_of(self, stages: Sequence[Stage]) -> tuple[Root, ...]:
        """The roots that those stages touch."""
        return tuple(root for stage in stages if stage in self.files for root in self.files[stage].roots)


def nanoseconds(moment: datetime) -> int:
    """A moment as file systems count, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def moment_of(ns: int) -> datetime:
    """The moment of a file's time, to the microsecond; the nearest there is for one beyond the calendar."""
    try:
        return _EPOCH + timedelta(microseconds=ns // 1000)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if ns > 0 else datetime.min.replace(tzinfo=UTC)


def saved_until(taken_at: datetime) -> int:
    """What changed after this, in nanoseconds of the epoch, may not be in a backup that was begun at that
    moment."""
    return nanoseconds(taken_at - _COARSEST)


def cut_off(rules: FileRules, at: datetime) -> int:
    """What changed after this, in nanoseconds of the epoch, is too young at `at`."""
    return nanoseconds(at - rules.min_age)
