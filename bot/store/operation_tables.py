"""The tables of operations: what was asked for, its steps, locks and freezes."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from bot.store.tables import metadata
from bot.store.types import Id, UtcDateTime

_NOT_OVER = text("state IN ('pending', 'queued', 'running', 'undoing')")

operations = Table(
    "operations",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("operation", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("request", JSON, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("channel", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", UtcDateTime),
    Column("reason", Text, nullable=False),
    Column("glass", Boolean, nullable=False),
    Column("stopped_by", Text),
    Column("held_by", Text),
    Column("token", Integer),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("problem", JSON),
    Index("ix_operations_not_over", "id", sqlite_where=_NOT_OVER),
)
"""`problem`: what ended it otherwise than hoped, a phrase's name and values."""

operation_steps = Table(
    "operation_steps",
    metadata,
    Column("operation_id", Id, ForeignKey(operations.c.id, ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("result", JSON, nullable=False),
    Column("problem", JSON),
)

operation_files = Table(
    "operation_files",
    metadata,
    Column("operation_id", Id, ForeignKey(operations.c.id, ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("shared_at", UtcDateTime, nullable=False),
)
"""Files of plans that are in the thread of their card."""

operation_locks = Table(
    "operation_locks",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("token", Integer, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("by", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("run", Id),
    Column("reason", Text, nullable=False),
    Column("until", UtcDateTime),
)
"""A row stays when its lock is let go of: the token must go on growing."""

freezes = Table(
    "freezes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("subject", Text, nullable=False),
    Column("operations", JSON, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", Text),
    Index("ix_freezes_ends_at", "ends_at"),
)
