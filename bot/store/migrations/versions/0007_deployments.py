"""Deployments: what was deployed where and how it went, and what lives in which slot."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "deployments",
        sa.Column("id", _Id, autoincrement=True),
        sa.Column("operation_id", _Id, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("previous", sa.Text),
        sa.Column("slot", sa.String(1), nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("commit_at", UtcDateTime),
        sa.Column("traffic_at", UtcDateTime),
        sa.Column("failed_at", UtcDateTime),
        sa.Column("restored_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("requests", sa.BigInteger),
        sa.Column("errors", sa.BigInteger),
        sa.Column("undoes", _Id),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
    )
    op.create_index("uq_deployments_operation_id", "deployments", ["operation_id"], unique=True)
    op.create_index("ix_deployments_place_id", "deployments", ["service", "environment", "id"])
    op.create_index("ix_deployments_started_at", "deployments", ["started_at"])
    op.create_table(
        "slots",
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("slot", sa.String(1), nullable=False),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("marker", sa.Text, nullable=False),
        sa.Column("placed_at", UtcDateTime, nullable=False),
        sa.Column("live_since", UtcDateTime),
        sa.PrimaryKeyConstraint("service", "environment", "slot", name="pk_slots"),
    )
