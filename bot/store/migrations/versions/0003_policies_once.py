"""Each policy once, and not in the row of every alert that opened with it; and no column or index that nobody
reads: deadlines are in the columns that they come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.policies import policy_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move the policies and drop what is not needed."""
    op.create_table(
        "policies",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_policies"),
    )
    alerts = sa.table("alerts", sa.column("policy", sa.Text))
    policies = sa.table("policies", sa.column("key", sa.String), sa.column("text", sa.Text))
    connection = op.get_bind()
    used = sa.select(alerts.c.policy).where(alerts.c.policy.is_not(None)).distinct()
    for text in connection.execute(used).scalars().all():
        key = policy_key(text)
        connection.execute(policies.insert().values(key=key, text=text))
        connection.execute(alerts.update().where(alerts.c.policy == text).values(policy=key))
    op.drop_index("ix_alerts_due", "alerts")
    op.drop_index("ix_alerts_metric_target", "alerts")
    op.drop_column("alerts", "due_at")
