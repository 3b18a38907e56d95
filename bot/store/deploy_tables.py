"""The tables of deployments, beside those of `bot.store.tables`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from bot.store.tables import metadata
from bot.store.types import Id, UtcDateTime

deployments = Table(
    "deployments",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("operation_id", Id, nullable=False),
    Column("service", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("revision", Text, nullable=False),
    Column("previous", Text),
    Column("slot", String(1), nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("decided_by", Text),
    Column("started_at", UtcDateTime, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("commit_at", UtcDateTime),
    Column("traffic_at", UtcDateTime),
    Column("failed_at", UtcDateTime),
    Column("restored_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("requests", BigInteger),
    Column("errors", BigInteger),
    Column("undoes", Id),
    Index("uq_deployments_operation_id", "operation_id", unique=True),
    Index("ix_deployments_place_id", "service", "environment", "id"),
    Index("ix_deployments_started_at", "started_at"),
)
"""One row a run; `errors` and `requests` are of its revision, null where nobody counted."""

slots = Table(
    "slots",
    metadata,
    Column("service", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("slot", String(1), primary_key=True),
    Column("revision", Text, nullable=False),
    Column("marker", Text, nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("live_since", UtcDateTime),
)
"""What was put where; at most one slot of an environment has `live_since`."""

DEPLOY_TABLES = (deployments, slots)
