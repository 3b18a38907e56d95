"""The tables, as SQLAlchemy Core describes them. Changes go through a migration in `migrations/`.

The conditions of the partial indexes are named for SQLite, which makes a new file from here. PostgreSQL has
the same from the migrations: to name them here would load its dialect, 2.5 MB, for everybody.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from bot.store.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = BigInteger().with_variant(Integer(), "sqlite")
_ONE_OPEN = text("status IN ('pending', 'firing', 'acked')")

alerts = Table(
    "alerts",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
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
    Index("uq_alerts_open_key", "key", unique=True, sqlite_where=_ONE_OPEN),
    Index("ix_alerts_status_resolved_at", "status", "resolved_at"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("alert_id", _Id, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("event", String(32), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("from_status", String(16)),
    Column("to_status", String(16), nullable=False),
    Column("level", Integer, nullable=False),
    Column("value", Float),
    Column("actor", Text),
    Index("ix_decisions_alert_id", "alert_id"),
)

letters = Table(
    "letters",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
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
)

readings = Table(
    "readings",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
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
