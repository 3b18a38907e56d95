"""Operations: what was asked for, its steps, locks and freezes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NOT_OVER = sa.text("state IN ('pending', 'queued', 'running', 'undoing')")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "operations",
        sa.Column("id", _Id, autoincrement=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", UtcDateTime),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("glass", sa.Boolean, nullable=False),
        sa.Column("stopped_by", sa.Text),
        sa.Column("token", sa.Integer),
        sa.Column("started_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("problem", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_operations"),
    )
    op.create_index(
        "ix_operations_not_over", "operations", ["id"], sqlite_where=_NOT_OVER, postgresql_where=_NOT_OVER
    )
    op.create_table(
        "operation_steps",
        sa.Column("operation_id", _Id, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("began_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("result", sa.JSON, nullable=False),
        sa.Column("problem", sa.JSON),
        sa.PrimaryKeyConstraint("operation_id", "number", name="pk_operation_steps"),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name="fk_operation_steps_operation_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "operation_locks",
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("run", _Id),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", UtcDateTime),
        sa.PrimaryKeyConstraint("subject", name="pk_operation_locks"),
    )
    op.create_table(
        "freezes",
        sa.Column("id", _Id, autoincrement=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("operations", sa.JSON, nullable=False),
        sa.Column("starts_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("ended_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_freezes"),
    )
    op.create_index("ix_freezes_ends_at", "freezes", ["ends_at"])
