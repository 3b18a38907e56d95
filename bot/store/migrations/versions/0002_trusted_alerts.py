"""Alerts that people trust: ladder, covers, storms and labels of alerts; everything that goes with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FILLED: dict[str, object] = {
    "title": "",
    "labels": sa.literal({}, sa.JSON),
    "channel": "",
    "route": "",
    "epoch": 0,
    "seen_by": sa.literal([], sa.JSON),
    "broken": sa.literal([], sa.JSON),
    "pages": 0,
    "carded": True,
    "last_bad": True,
    "flips": 0,
    "flapping": False,
    "reopenings": sa.literal([], sa.JSON),
}
"""What alerts of before have of what is new: a card, and nothing else."""
_OPEN_DEADLINE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Add the columns and tables."""
    _alerts()
    _elsewhere()
    _covers()
    _insight()
    _pictures()
    _on_call()


def _insight() -> None:
    op.create_table(
        "changes",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("service", "environment", "target", "title", "url", "by")
        ),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
    )
    op.create_index("ix_changes_at", "changes", ["at"])
    op.create_table(
        "forecasts",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("rising", sa.Boolean, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("bound", sa.Float, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("reaches_at", UtcDateTime, nullable=False),
        sa.Column("slope", sa.Float, nullable=False),
        sa.Column("z", sa.Float, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("scored_at", UtcDateTime),
        sa.Column("outcome", sa.String(8)),
        sa.Column("error_seconds", sa.Float),
        sa.Column("actual_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_forecasts"),
    )
    waiting = sa.text("scored_at IS NULL")
    op.create_index(
        "uq_forecasts_waiting",
        "forecasts",
        ["key", "level"],
        unique=True,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("ix_forecasts_scored_at", "forecasts", ["scored_at"])
    op.create_table(
        "ratings",
        sa.Column("alert_id", _ID, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("useful", sa.Boolean, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "user", name="pk_ratings"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_ratings_alert_id", ondelete="CASCADE"),
    )
    op.create_index("ix_ratings_rule", "ratings", ["rule"])
    op.create_table(
        "marks",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_marks"),
    )


def _covers() -> None:
    for table, over in (("silences", "lifted"), ("maintenance", "ended")):
        op.create_table(
            table,
            sa.Column("id", _ID, autoincrement=True, nullable=False),
            sa.Column("matcher", sa.Text, nullable=False),
            sa.Column("starts_at", UtcDateTime, nullable=False),
            sa.Column("ends_at", UtcDateTime, nullable=False),
            sa.Column("owner", sa.Text, nullable=False),
            sa.Column("reason", sa.Text, nullable=False),
            sa.Column("created_at", UtcDateTime, nullable=False),
            sa.Column(f"{over}_at", UtcDateTime),
            sa.Column(f"{over}_by", sa.Text),
            sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        )
        op.create_index(f"ix_{table}_ends_at", table, ["ends_at"])


def _alerts() -> None:
    for column in (
        sa.Column("title", sa.Text),
        sa.Column("labels", sa.JSON),
        sa.Column("channel", sa.Text),
        sa.Column("route", sa.Text),
        sa.Column("policy", sa.Text),
        sa.Column("epoch", sa.Integer),
        sa.Column("ladder_began_at", UtcDateTime),
        sa.Column("next_round", sa.Integer),
        sa.Column("next_step", sa.Integer),
        sa.Column("next_step_at", UtcDateTime),
        sa.Column("ack_until", UtcDateTime),
        sa.Column("seen_by", sa.JSON),
        sa.Column("pages", sa.Integer),
        sa.Column("cover", sa.JSON),
        sa.Column("broken", sa.JSON),
        sa.Column("carded", sa.Boolean),
        sa.Column("storm", _ID),
        sa.Column("last_bad", sa.Boolean),
        sa.Column("flips", sa.Integer),
        sa.Column("flapping", sa.Boolean),
        sa.Column("reopenings", sa.JSON),
        sa.Column("floor", sa.Integer),
        sa.Column("floor_why", sa.Text),
        sa.Column("due_at", UtcDateTime),
    ):
        op.add_column("alerts", column)
    alerts = sa.table("alerts", *(sa.column(name) for name in _FILLED))
    op.execute(alerts.update().values(_FILLED))
    op.create_index(
        "ix_alerts_due",
        "alerts",
        ["due_at"],
        sqlite_where=_OPEN_DEADLINE,
        postgresql_where=_OPEN_DEADLINE,
    )
    op.add_column("decisions", sa.Column("detail", sa.Text))
    op.create_index("ix_cards_channel_id_ts", "cards", ["channel_id", "ts"])
    op.create_index("ix_alerts_metric_target", "alerts", ["metric", "target"])
    op.create_index("ix_alerts_fired_at", "alerts", ["fired_at"])
    op.create_table(
        "pages",
        sa.Column("alert_id", _ID, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("recipients", sa.JSON, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "epoch", "round", "step", name="pk_pages"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_pages_alert_id", ondelete="CASCADE"),
    )
    op.create_index("ix_pages_at", "pages", ["at"])
    op.create_table(
        "storms",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("began_at", UtcDateTime, nullable=False),
        sa.Column("busy_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("services", sa.JSON, nullable=False),
        sa.Column("folded", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_storms"),
    )


def _elsewhere() -> None:
    """Jobs that must report, and letters that went out the second way."""
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("last_at", UtcDateTime),
        sa.Column("last_status", sa.String(16)),
        sa.Column("started_at", UtcDateTime),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("told", sa.String(16)),
        sa.PrimaryKeyConstraint("name", name="pk_heartbeats"),
    )
    op.create_table(
        "second_way",
        sa.Column("letter_id", _ID, autoincrement=False, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("letter_id", "target", name="pk_second_way"),
    )
    op.create_index("ix_second_way_at", "second_way", ["at"])


def _pictures() -> None:
    op.create_table(
        "pictures",
        sa.Column("alert_id", _ID, nullable=False),
        sa.Column("file_id", sa.Text, nullable=False),
        sa.Column("drawn_at", UtcDateTime, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
        sa.Column("resolved", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name="pk_pictures"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_pictures_alert_id", ondelete="CASCADE"),
    )


def _on_call() -> None:
    op.create_table(
        "overrides",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("starts_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("undone_at", UtcDateTime),
        sa.Column("undone_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
    )
    op.create_index("ix_overrides_ends_at", "overrides", ["ends_at"])
    op.create_table(
        "duties",
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("schedule", name="pk_duties"),
    )
    op.create_table(
        "people",
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("reference", name="pk_people"),
    )
