"""Each policy once, and not in the row of every alert that opened with it; what a storm still has to tell, by
kind; and no column or index that nobody reads: deadlines are in the columns that they come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.policies import policy_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KIND = ("what", "level", "metric", "title", "service")


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
    _digests_by_kind()
    op.drop_index("ix_alerts_due", "alerts")
    op.drop_index("ix_alerts_metric_target", "alerts")
    op.drop_column("alerts", "due_at")


def _digests_by_kind() -> None:
    """Letters that wait had a line for each alert, and have a group for each kind."""
    letters = sa.table(
        "letters",
        sa.column("id", sa.BigInteger),
        sa.column("template", sa.String),
        sa.column("state", sa.String),
        sa.column("facts", sa.JSON),
    )
    connection = op.get_bind()
    waiting = sa.select(letters.c.id, letters.c.facts).where(
        letters.c.template == "storm_digest", letters.c.state == "queued"
    )
    for number, facts in connection.execute(waiting).all():
        groups: dict[tuple[str, ...], list[str]] = {}
        for line in facts["lines"]:
            kind = tuple(line[name] for name in _KIND)
            groups.setdefault(kind, []).append(line["target"])
        told = [{**dict(zip(_KIND, kind, strict=True)), "targets": each} for kind, each in groups.items()]
        by_kind = {"storm": facts["storm"], "groups": told}
        connection.execute(letters.update().where(letters.c.id == number).values(facts=by_kind))
