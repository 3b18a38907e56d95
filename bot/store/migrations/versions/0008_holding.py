"""Operations that stay where they are until somebody says 계속."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("operations", sa.Column("held_by", sa.Text))
