"""Backups: which there are, what was found out about them, and how long restores took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "backup_repositories",
        sa.Column("place", sa.String(16), nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("chunker", sa.Text, nullable=False),
        sa.Column("keys", sa.Integer, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_backup_repositories"),
    )
    op.create_table(
        "backup_snapshots",
        sa.Column("id", _Id, autoincrement=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("snapshot", sa.String(64), nullable=False),
        sa.Column("tree", sa.String(64), nullable=False),
        sa.Column("taken_at", UtcDateTime, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("files", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("run_id", _Id, nullable=False),
        sa.Column("canary_path", sa.Text, nullable=False),
        sa.Column("canary_sha256", sa.String(64), nullable=False),
        sa.Column("paths", sa.JSON, nullable=False),
        sa.Column("exclude", sa.JSON, nullable=False),
        sa.Column("copied", sa.String(64)),
        sa.Column("heads", sa.JSON, nullable=False),
        sa.Column("forgotten_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_backup_snapshots"),
    )
    op.create_index("uq_backup_snapshots_snapshot", "backup_snapshots", ["snapshot"], unique=True)
    op.create_index("ix_backup_snapshots_source_taken_at", "backup_snapshots", ["source", "taken_at"])
    op.create_table(
        "backup_findings",
        sa.Column("id", _Id, autoincrement=True),
        sa.Column("snapshot_id", _Id, nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("place", sa.String(16)),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("values", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backup_findings"),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["backup_snapshots.id"],
            name="fk_backup_findings_snapshot_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_backup_findings_snapshot_id", "backup_findings", ["snapshot_id"])
    op.create_index("ix_backup_findings_part_at", "backup_findings", ["part", "at"])
    op.create_table(
        "backup_verdicts",
        sa.Column("id", _Id, autoincrement=True),
        sa.Column("snapshot_id", _Id, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("verified", sa.Boolean, nullable=False),
        sa.Column("damaged", sa.Boolean, nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backup_verdicts"),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["backup_snapshots.id"],
            name="fk_backup_verdicts_snapshot_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_backup_verdicts_snapshot_id", "backup_verdicts", ["snapshot_id"])
    op.create_table(
        "backup_drills",
        sa.Column("id", _Id, autoincrement=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("snapshot", sa.String(64), nullable=False),
        sa.Column("place", sa.String(16), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("files", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_backup_drills"),
    )
    op.create_index("ix_backup_drills_at", "backup_drills", ["at"])
    op.create_table(
        "backup_attempts",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.PrimaryKeyConstraint("source", name="pk_backup_attempts"),
    )
