"""The first watch: alerts and their decisions, letters and cards, readings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ONE_OPEN = sa.text("status IN ('pending', 'firing', 'acked')")
_QUEUED = sa.text("state = 'queued'")


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "alerts",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("condition", sa.String(16), nullable=False),
        sa.Column("layer", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("peak_level", sa.Integer, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("band", sa.Text),
        sa.Column("target_band", sa.Text),
        sa.Column("problem_kind", sa.String(32)),
        sa.Column("problem_detail", sa.Text),
        sa.Column("detected_at", UtcDateTime, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
        sa.Column("recent", sa.JSON, nullable=False),
        sa.Column("below", sa.JSON, nullable=False),
        sa.Column("value_at_firing", sa.Float),
        sa.Column("peak", sa.Float),
        sa.Column("fired_at", UtcDateTime),
        sa.Column("resolved_at", UtcDateTime),
        sa.Column("acked_by", sa.Text),
        sa.Column("acked_at", UtcDateTime),
        sa.Column("last_post_at", UtcDateTime),
        sa.Column("repeats", sa.Integer, nullable=False),
        sa.Column("reopened", sa.Integer, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index(
        "uq_alerts_open_key",
        "alerts",
        ["key"],
        unique=True,
        sqlite_where=_ONE_OPEN,
        postgresql_where=_ONE_OPEN,
    )
    op.create_index("ix_alerts_status_resolved_at", "alerts", ["status", "resolved_at"])
    op.create_table(
        "decisions",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("alert_id", _ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("from_status", sa.String(16)),
        sa.Column("to_status", sa.String(16), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("actor", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name="fk_decisions_alert_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_decisions_alert_id", "decisions", ["alert_id"])
    op.create_table(
        "letters",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("broadcast", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("leased_until", UtcDateTime),
        sa.Column("sent_at", UtcDateTime),
        sa.Column("ts", sa.Text),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
    )
    op.create_index("ix_letters_queued", "letters", ["id"], sqlite_where=_QUEUED, postgresql_where=_QUEUED)
    op.create_index("ix_letters_state_created_at", "letters", ["state", "created_at"])
    op.create_table(
        "cards",
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("ts", sa.Text, nullable=False),
        sa.Column("posted_at", UtcDateTime, nullable=False),
        sa.Column("delivery_ms", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("stream", name="pk_cards"),
    )
    op.create_table(
        "readings",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("problem_kind", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_readings"),
    )
    op.create_index("ix_readings_metric_target_at", "readings", ["metric", "target", "at"])
    op.create_index("ix_readings_at", "readings", ["at"])
