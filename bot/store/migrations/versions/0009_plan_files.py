"""Files of plans that are in the thread of their card."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "operation_files",
        sa.Column("operation_id", _Id, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("shared_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("operation_id", "name", name="pk_operation_files"),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name="fk_operation_files_operation_id", ondelete="CASCADE"
        ),
    )
