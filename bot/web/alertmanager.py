"""Alertmanager's webhook, version "4" of its payload: from its alerts to reports."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.levels import Level
from bot.engine.reports import Report
from bot.web.payloads import Labels, refused
from bot.web.severities import Severities
from messages.escape import clean, truncate
from probes.base import Layer

MOST_ALERTS = 20_000
"""more than fit into a payload of the greatest size, if each says anything"""
TITLE_LIMIT = 200
FACT_LIMIT = 500
_TARGETS = (
    "instance",
    "service",
    "job",
    "pod",
    "node",
    "host",
    "container",
    "namespace",
    "cluster",
    "device",
)
"""Labels that say what an alert is about, the most exact first."""
_LAYERS = {layer.value: layer for layer in Layer}
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Go writes a moment that is not known as one of the year 1."""


class _Payload(BaseModel):
    """What it must be; what else is in it, as of a later Alertmanager, doesn't matter."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, strict=True)


class PayloadAlert(_Payload):
    """One alert of a notification."""

    status: Literal["firing", "resolved"]
    labels: Labels
    annotations: Annotated[dict[str, str], Field(max_length=200)] = {}
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    generator_url: Annotated[str, Field(alias="generatorURL", max_length=4000)] = ""
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]*$", max_length=128)] = ""


class Notification(_Payload):
    """What Alertmanager posts for a group of alerts."""

    version: Literal["4"]
    group_key: Annotated[str, Field(max_length=10_000)] = ""
    status: Literal["firing", "resolved"]
    receiver: Annotated[str, Field(max_length=1000)] = ""
    truncated_alerts: int = 0
    external_url: Annotated[str, Field(alias="externalURL", max_length=4000)] = ""
    alerts: Annotated[list[PayloadAlert], Field(max_length=MOST_ALERTS)]


_NOTIFICATION = TypeAdapter(Notification)


def read_notification(body: bytes) -> Notification:
    """The notification in a request's body. Raises PayloadRefused: 400, or 422 with each wrong place."""
    try:
        return _NOTIFICATION.validate_json(body)
    except ValidationError as error:
        raise refused(error) from None


def reports_of(
    alerts: Sequence[PayloadAlert], severities: Severities, environment: str, now: datetime
) -> list[Report]:
    """A report for each alert, in their order. `environment` is ours, for alerts that name none.

    They are of `now`: startsAt is when it began over there, and stays the same when it is said again.
    """
    return [_report(alert, severities, environment, now) for alert in alerts]


def _report(alert: PayloadAlert, severities: Severities, environment: str, now: datetime) -> Report:
    labels = alert.labels
    name = labels.get("alertname") or "alert"
    subject = Subject(
        environment=labels.get("environment") or labels.get("env") or environment,
        source=f"alertmanager:{alert.fingerprint or fingerprint(labels)}",
        metric=name,
        target=_target(labels) or name,
        condition=Condition.REPORTED,
    )
    facts: dict[str, str] = {}
    severity = labels.get("severity", "")
    level = severities.level(severity)
    if level is None:
        level = Level.WARNING
        if severity:
            facts["unknown_severity"] = truncate(severity, 80)
    notes = alert.annotations
    summary = notes.get("summary") or notes.get("title") or ""
    description = notes.get("description") or notes.get("message") or ""
    if description and description != summary:
        facts["description"] = one_line(description, FACT_LIMIT)
    if notes.get("runbook_url"):
        facts["runbook"] = one_line(notes["runbook_url"], FACT_LIMIT)
    if alert.generator_url:
        facts["origin"] = one_line(alert.generator_url, FACT_LIMIT)
    if alert.starts_at is not None and alert.starts_at > _EARLIEST:
        facts["started"] = _written(alert.starts_at)
    event = Reported(
        firing=alert.status == "firing",
        level=level,
        at=now,
        title=one_line(summary, TITLE_LIMIT) or name,
        facts=facts,
    )
    return Report(subject, labels, event, _LAYERS.get(labels.get("layer", ""), Layer.APPLICATION))


def _target(labels: Mapping[str, str]) -> str:
    for name in _TARGETS:
        if labels.get(name):
            return labels[name]
    return ""


@lru_cache(maxsize=256)
def _written(moment: datetime) -> str:
    # What fails together began together: most alerts of a payload share a few moments.
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def fingerprint(labels: Mapping[str, str]) -> str:
    """The identity of an alert that came without one: the same labels, the same alert."""
    text = "\xff".join(f"{name}\xff{labels[name]}" for name in sorted(labels))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def one_line(text: str, limit: int) -> str:
    """`text` without line breaks and control characters, cut at `limit` characters."""
    if len(text) <= limit and text.isprintable():
        return text  # the usual case, and there may be thousands
    # Cut first as well: a description may have megabytes.
    return truncate(" ".join(clean(text[: 4 * limit]).split()), limit)
