"""The tables, as SQLAlchemy Core describes them. Changes go through a migration in `migrations/`.

The conditions of the partial indexes are named for SQLite, which makes a new file from here. PostgreSQL has
the same from the migrations: to name them here would load its dialect, 2.5 MB, for everybody.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
    text,
)

from bot.store import append_only
from bot.store.types import Id, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ONE_OPEN = text("status IN ('pending', 'firing', 'acked')")

policies = Table(
    "policies",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("text", Text, nullable=False),
)
"""What alerts call people by, as it was when they opened; thousands share one. None is ever deleted."""

alerts = Table(
    "alerts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("key", String(32), nullable=False),
    Column("environment", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("condition", String(16), nullable=False),
    Column("layer", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("level", Integer, nullable=False),
    Column("peak_level", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("value", Float),
    Column("band", Text),
    Column("target_band", Text),
    Column("problem_kind", String(32)),
    Column("problem_detail", Text),
    Column("detected_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("recent", JSON, nullable=False),
    Column("below", JSON, nullable=False),
    Column("value_at_firing", Float),
    Column("peak", Float),
    Column("fired_at", UtcDateTime),
    Column("resolved_at", UtcDateTime),
    Column("acked_by", Text),
    Column("acked_at", UtcDateTime),
    Column("last_post_at", UtcDateTime),
    Column("repeats", Integer, nullable=False),
    Column("reopened", Integer, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("title", Text),
    Column("labels", JSON),
    Column("channel", Text),
    Column("route", Text),
    Column("policy", Text),
    Column("epoch", Integer),
    Column("ladder_began_at", UtcDateTime),
    Column("next_round", Integer),
    Column("next_step", Integer),
    Column("next_step_at", UtcDateTime),
    Column("ack_until", UtcDateTime),
    Column("seen_by", JSON),
    Column("pages", Integer),
    Column("cover", JSON(none_as_null=True)),
    Column("broken", JSON),
    Column("carded", Boolean),
    Column("storm", Id),
    Column("last_bad", Boolean),
    Column("flips", Integer),
    Column("flapping", Boolean),
    Column("reopenings", JSON),
    Column("floor", Integer),
    Column("floor_why", Text),
    Index("uq_alerts_open_key", "key", unique=True, sqlite_where=_ONE_OPEN),
    Index("ix_alerts_fired_at", "fired_at"),
    Index("ix_alerts_status_resolved_at", "status", "resolved_at"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("alert_id", Id, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("event", String(32), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("from_status", String(16)),
    Column("to_status", String(16), nullable=False),
    Column("level", Integer, nullable=False),
    Column("value", Float),
    Column("actor", Text),
    Column("detail", Text),
    Index("ix_decisions_alert_id", "alert_id"),
)

pages = Table(
    "pages",
    metadata,
    Column("alert_id", Id, ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("recipients", JSON, nullable=False),
    Column("level", Integer, nullable=False),
    Column("metric", Text, nullable=False),
    Index("ix_pages_at", "at"),
)

storms = Table(
    "storms",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("channel", Text, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("busy_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("services", JSON, nullable=False),
    Column("folded", Integer, nullable=False),
)

silences = Table(
    "silences",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("matcher", Text, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("lifted_at", UtcDateTime),
    Column("lifted_by", Text),
    Index("ix_silences_ends_at", "ends_at"),
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("matcher", Text, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", Text),
    Index("ix_maintenance_ends_at", "ends_at"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime),
    Column("last_status", String(16)),
    Column("started_at", UtcDateTime),
    Column("said", Text, nullable=False),
    Column("told", String(16)),
)

second_way = Table(
    "second_way",
    metadata,
    Column("letter_id", Id, primary_key=True, autoincrement=False),
    Column("target", Text, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_second_way_at", "at"),
)

pictures = Table(
    "pictures",
    metadata,
    Column("alert_id", Id, ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
    Column("file_id", Text, nullable=False),
    Column("drawn_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("resolved", Boolean, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("service", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Index("ix_changes_at", "at"),
)

forecasts = Table(
    "forecasts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("key", String(32), nullable=False),
    Column("metric", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("rising", Boolean, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("bound", Float, nullable=False),
    Column("level", Integer, nullable=False),
    Column("reaches_at", UtcDateTime, nullable=False),
    Column("slope", Float, nullable=False),
    Column("z", Float, nullable=False),
    Column("points", Integer, nullable=False),
    Column("scored_at", UtcDateTime),
    Column("outcome", String(8)),
    Column("error_seconds", Float),
    Column("actual_at", UtcDateTime),
    Index("uq_forecasts_waiting", "key", "level", unique=True, sqlite_where=text("scored_at IS NULL")),
    Index("ix_forecasts_scored_at", "scored_at"),
)

ratings = Table(
    "ratings",
    metadata,
    Column("alert_id", Id, ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
    Column("user", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("useful", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_ratings_rule", "rule"),
)

marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

overrides = Table(
    "overrides",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("schedule", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("undone_at", UtcDateTime),
    Column("undone_by", Text),
    Index("ix_overrides_ends_at", "ends_at"),
)

duties = Table(
    "duties",
    metadata,
    Column("schedule", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("reference", Text, primary_key=True),
    Column("user", Text, nullable=False),
)

letters = Table(
    "letters",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("channel", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("broadcast", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("leased_until", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("ts", Text),
    Column("error", Text),
    Index("ix_letters_queued", "id", sqlite_where=text("state = 'queued'")),
    Index("ix_letters_state_created_at", "state", "created_at"),
)

cards = Table(
    "cards",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("channel_id", Text, nullable=False),
    Column("ts", Text, nullable=False),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("delivery_ms", Integer, nullable=False),
    Index("ix_cards_channel_id_ts", "channel_id", "ts"),
)

readings = Table(
    "readings",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("source", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("value", Float),
    Column("unit", Text, nullable=False),
    Column("problem_kind", String(32)),
    Index("ix_readings_metric_target_at", "metric", "target", "at"),
    Index("ix_readings_at", "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Id, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("plan", Text),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""All texts, moments and details too: an entry's hash is over what stands here, byte for byte. None is ever
changed or deleted, which triggers see to."""


@event.listens_for(audit, "after_create")
def _guard(_table: Table, connection: Connection, **_options: object) -> None:
    """A new SQLite file gets the triggers from here; everything else from the migration."""
    if connection.dialect.name == "sqlite":
        for statement in append_only.SQLITE:
            connection.exec_driver_sql(statement)
