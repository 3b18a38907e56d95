"""What messages about backups need to know; the same rules as in `messages.facts`."""

from __future__ import annotations

from dataclasses import dataclass

from messages.facts import Facts


@dataclass(frozen=True, slots=True)
class BackupSourceFacts(Facts):
    """One source and how its backups stand."""

    name: str
    kind: str
    """`bot.domain.backup.sources.SourceKind`"""
    stands: str
    """`bot.domain.backup.status.SourceState`"""
    newest_at: str | None
    size: int | None
    """bytes of the newest backup"""
    proven_at: str | None
    """when the newest proven backup was taken"""
    failed: str | None
    """why the last attempt failed: a key of `backup.failed`"""
    figure: int
    """points in time, versions, synchronised repositories or files, by `kind`"""
    wanted: int | None
    recovery_seconds: float | None = None
    """the slowest restore of all of it in the last 90 days; None where none was timed"""
    damaged_in: tuple[str, ...] = ()
    """places in which damage was found"""


@dataclass(frozen=True, slots=True)
class BackupRepositoryFacts(Facts):
    """One repository, as it last said of itself."""

    place: str
    encryption: str | None
    """None: nobody knows how it encrypts"""
    key_count: int
    seen_at: str
    trouble: str | None = None
    """why it cannot be used just now: a key of `backup.short`"""


@dataclass(frozen=True, slots=True)
class BackupStatusFacts(Facts):
    """The answer to `backup status`."""

    command: str
    """the slash command as people type it, `/guardian`"""
    verified: bool
    """the newest backup of every source is proven, and none is late"""
    sources: tuple[BackupSourceFacts, ...]
    repositories: tuple[BackupRepositoryFacts, ...]
    missing: tuple[str, ...]
    """places without a repository yet"""
    media: str | None
    """why the repositories are not on two media: a key of `backup.reason`; None: they are"""
    keep_seconds: float
    drill_at: str | None
    """the last restore, for practice or in earnest"""
    drill_seconds: float | None
    drill_source: str | None
    drill_failed: str | None
    """a key of `backup.failed`"""
