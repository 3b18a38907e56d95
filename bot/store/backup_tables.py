"""The tables of backups, beside those of `bot.store.tables`."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from bot.store.tables import metadata
from bot.store.types import Id, UtcDateTime

backup_repositories = Table(
    "backup_repositories",
    metadata,
    Column("place", String(16), primary_key=True),
    Column("repository", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("chunker", Text, nullable=False),
    Column("keys", Integer, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
"""Which repository is where: another one in its place, or an empty folder, is not ours."""

backup_snapshots = Table(
    "backup_snapshots",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("snapshot", String(64), nullable=False),
    Column("tree", String(64), nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("canary_path", Text, nullable=False),
    Column("canary_sha256", String(64), nullable=False),
    Column("paths", JSON, nullable=False),
    Column("exclude", JSON, nullable=False),
    Column("copied", String(64)),
    Column("heads", JSON, nullable=False),
    Column("forgotten_at", UtcDateTime),
    Index("uq_backup_snapshots_snapshot", "snapshot", unique=True),
    Index("ix_backup_snapshots_source_taken_at", "source", "taken_at"),
)
"""Backups that were made, whole: what a killed run left in a repository is not among them."""

backup_findings = Table(
    "backup_findings",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("snapshot_id", Id, ForeignKey("backup_snapshots.id", ondelete="CASCADE"), nullable=False),
    Column("part", String(16), nullable=False),
    Column("place", String(16)),
    Column("at", UtcDateTime, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("reason", String(32)),
    Column("values", JSON, nullable=False),
    Index("ix_backup_findings_snapshot_id", "snapshot_id"),
    Index("ix_backup_findings_part_at", "part", "at"),
)

backup_verdicts = Table(
    "backup_verdicts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("snapshot_id", Id, ForeignKey("backup_snapshots.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("damaged", Boolean, nullable=False),
    Column("reasons", JSON, nullable=False),
    Index("ix_backup_verdicts_snapshot_id", "snapshot_id"),
)

backup_drills = Table(
    "backup_drills",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("snapshot", String(64), nullable=False),
    Column("place", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("reason", String(32)),
    Index("ix_backup_drills_at", "at"),
)
"""Restores, for practice or in earnest, timed: the recovery time."""

backup_attempts = Table(
    "backup_attempts",
    metadata,
    Column("source", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("reason", String(32)),
)
"""The last attempt for each source, and why it failed, if it did."""

BACKUP_TABLES = (
    backup_repositories,
    backup_snapshots,
    backup_findings,
    backup_verdicts,
    backup_drills,
    backup_attempts,
)
