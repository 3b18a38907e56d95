"""Alertmanager's webhook, version "4" of its payload: from its alerts to reports."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple, NotRequired

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.levels import Level
from bot.engine.reports import Report
from bot.web.payloads import (
    PROBLEMS_TOLD,
    Labels,
    PayloadProblem,
    PayloadRefused,
    read_json,
    refused,
)
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
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Later ones have no UTC."""


_CONFIG = ConfigDict(extra="ignore", strict=True)
"""What must be there must be right; what else is in it, as of a later Alertmanager, doesn't matter."""


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise PydanticKnownError("datetime_type")
    return value


_Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_text)]
"""Written as a text, as JSON has it."""


class PayloadAlert(TypedDict):
    """One alert of a notification, under its names there."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]  # how pydantic is told, and no key

    status: Literal["firing", "resolved"]
    labels: Labels
    annotations: NotRequired[Annotated[dict[str, str], Field(max_length=200)]]
    startsAt: NotRequired[_Moment | None]
    endsAt: NotRequired[_Moment | None]
    generatorURL: NotRequired[Annotated[str, Field(max_length=4000)]]
    fingerprint: NotRequired[Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]*$", max_length=128)]]


class _Envelope(BaseModel):
    """What Alertmanager posts for a group of alerts; each of these is looked at by itself."""

    model_config = ConfigDict(**_CONFIG, frozen=True, alias_generator=to_camel)

    version: Literal["4"]
    group_key: Annotated[str, Field(max_length=10_000)] = ""
    status: Literal["firing", "resolved"]
    receiver: Annotated[str, Field(max_length=1000)] = ""
    truncated_alerts: int = 0
    external_url: Annotated[str, Field(alias="externalURL", max_length=4000)] = ""
    alerts: Annotated[list[object], Field(max_length=MOST_ALERTS)]


_ALERT = TypeAdapter(PayloadAlert)


class Notification(NamedTuple):
    """A notification as reports, in the order of its alerts, and how many of them Alertmanager left out."""

    reports: list[Report]
    left_out: int


def read_notification(
    body: bytearray, severities: Severities, environment: str, now: datetime
) -> Notification:
    """The reports in a request's body, which is empty afterwards. `environment`: ours, for those without one.

    They are of `now`: startsAt is when it began over there, and stays the same when it is said again.
    Raises PayloadRefused: 400 for what is no JSON, or 422 with each wrong place.
    """
    payload = read_json(body)
    try:
        envelope = _Envelope.model_validate(payload)
    except ValidationError as error:
        raise refused(error) from None
    left_out = envelope.truncated_alerts
    del envelope  # it has a list of its own of the same alerts
    reports: list[Report] = []
    problems: list[PayloadProblem] = []
    # Each is let go of as it becomes a report: thousands need not be there three times.
    alerts = payload["alerts"]
    alerts.reverse()
    for index in range(len(alerts)):
        try:
            alert = _ALERT.validate_python(alerts.pop())
        except ValidationError as error:
            problems += refused(error, ("alerts", index)).problems
            if len(problems) >= PROBLEMS_TOLD:
                break
        else:
            reports.append(_report(alert, severities, environment, now))
    if problems:
        raise PayloadRefused(422, problems[:PROBLEMS_TOLD])
    return Notification(reports, left_out)


def _report(alert: PayloadAlert, severities: Severities, environment: str, now: datetime) -> Report:
    labels = alert["labels"]
    name = labels.get("alertname") or "alert"
    subject = Subject(
        environment=labels.get("environment") or labels.get("env") or environment,
        source=f"alertmanager:{alert.get('fingerprint') or fingerprint(labels)}",
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
    notes = alert.get("annotations", {})
    summary = notes.get("summary") or notes.get("title") or ""
    description = notes.get("description") or notes.get("message") or ""
    if description and description != summary:
        facts["description"] = one_line(description, FACT_LIMIT)
    if notes.get("runbook_url"):
        facts["runbook"] = one_line(notes["runbook_url"], FACT_LIMIT)
    origin, began = alert.get("generatorURL"), alert.get("startsAt")
    if origin:
        facts["origin"] = one_line(origin, FACT_LIMIT)
    if began is not None and _EARLIEST < began < _LATEST:
        facts["started"] = _written(began)
    event = Reported(
        firing=alert["status"] == "firing",
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
