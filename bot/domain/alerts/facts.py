"""What messages are told of an alert: plain values, ready to wait in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import JsonValue

from bot.domain.alerts.ladder import Recipient
from bot.domain.alerts.model import Alert
from bot.domain.alerts.paging import next_page
from bot.domain.alerts.surroundings import NOWHERE, Surroundings
from messages.facts import AlertFacts, CoverFacts, ProblemFacts, RecipientFacts, StormLine

SERVICE = "service"
"""The label that says which service an alert belongs to."""


def alert_facts(
    alert: Alert,
    delivery_ms: int | None = None,
    around: Surroundings = NOWHERE,
    extras: Mapping[str, JsonValue] | None = None,
) -> AlertFacts:
    """What a card shows of an alert."""
    following = next_page(alert, around)
    return AlertFacts(
        id=alert.id,
        version=alert.version,
        status=alert.status.value,
        kind=alert.subject.condition.value,
        level=alert.level.word,
        peak_level=alert.peak_level.word,
        metric=alert.subject.metric,
        target=alert.subject.target,
        layer=alert.layer.value,
        environment=alert.subject.environment,
        value=alert.value,
        unit=alert.unit,
        band=alert.band,
        target_band=alert.target_band,
        problem=ProblemFacts(alert.problem.kind.value, alert.problem.detail) if alert.problem else None,
        value_at_firing=alert.value_at_firing,
        peak=alert.peak,
        detected_at=alert.detected_at.isoformat(),
        fired_at=_iso(alert.fired_at),
        resolved_at=_iso(alert.resolved_at),
        acked_by=alert.acked_by,
        acked_at=_iso(alert.acked_at),
        repeats=alert.repeats,
        reopened=alert.reopened,
        delivery_ms=delivery_ms,
        facts=dict(alert.facts),
        reason=alert.reason.value,
        title=alert.title,
        service=alert.labels.get(SERVICE, ""),
        raised=alert.floor_why if alert.floor is not None and alert.floor >= alert.level else None,
        seen_by=alert.seen_by,
        ack_until=_iso(alert.ack_until),
        cover=_cover_facts(alert),
        flapping=alert.flapping,
        next_page_at=following[0].isoformat() if following else None,
        next_page_to=recipient_facts(following[1]) if following else (),
        pages=alert.pages,
        extras=dict(extras or {}),
    )


def storm_line(alert: Alert, what: str) -> StormLine:
    """One line about an alert that a storm gathers."""
    return StormLine(
        what=what,
        id=alert.id,
        level=alert.level.word,
        metric=alert.subject.metric,
        title=alert.title,
        target=alert.subject.target,
        service=alert.labels.get(SERVICE, ""),
    )


def recipient_facts(recipients: Iterable[Recipient]) -> tuple[RecipientFacts, ...]:
    """Those who are paged."""
    return tuple(RecipientFacts(each.kind.value, each.id, each.name) for each in recipients)


def _cover_facts(alert: Alert) -> CoverFacts | None:
    cover = alert.cover
    if cover is None:
        return None
    return CoverFacts(cover.kind.value, cover.ref, _iso(cover.until), cover.by, cover.why)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
