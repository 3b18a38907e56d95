"""From an alert and the effects of a decision to the letters that tell it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.alerts.model import AddNote, Alert, Decision, EditCard, PostCard
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import Letter, LetterKind, Priority
from bot.domain.levels import Level
from messages.facts import AlertFacts, AlertNoteFacts, ProblemFacts


def stream_of(alert: Alert) -> str:
    """The stream that everything about this alert goes out on."""
    return f"alert:{alert.id}"


def alert_facts(alert: Alert, delivery_ms: int | None = None) -> AlertFacts:
    """What a card shows of an alert."""
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
    )


def letters_for(
    decision: Decision, channel: str, now: datetime, since: datetime, ids: Iterable[int]
) -> tuple[Letter, ...]:
    """The letters that a decision sends, in order; each takes the next of `ids`.

    A decision without an alert sends nothing: there is nothing to tell of what was never confirmed.
    """
    alert = decision.alert
    if alert is None:
        return ()
    facts = alert_facts(alert)
    supply = iter(ids)
    letters: list[Letter] = []
    for effect in decision.effects:
        kind, template, told, broadcast = _told(effect, facts)
        letters.append(
            Letter(
                id=next(supply),
                stream=stream_of(alert),
                kind=kind,
                channel=channel,
                template=template,
                facts=told.as_json(),
                priority=_priority(decision, alert, effect),
                created_at=now,
                since=since,
                broadcast=broadcast,
            )
        )
    return tuple(letters)


def _told(
    effect: PostCard | EditCard | AddNote, facts: AlertFacts
) -> tuple[LetterKind, str, AlertFacts | AlertNoteFacts, bool]:
    match effect:
        case PostCard():
            return LetterKind.CARD, "alert", facts, False
        case EditCard():
            return LetterKind.EDIT, "alert", facts, False
        case AddNote():
            note = AlertNoteFacts(
                alert=facts,
                note=effect.note.value,
                actor=effect.actor,
                from_level=effect.from_level.word if effect.from_level else None,
            )
            return LetterKind.NOTE, "alert_note", note, effect.broadcast


def _priority(decision: Decision, alert: Alert, effect: PostCard | EditCard | AddNote) -> Priority:
    if decision.reason is Reason.ACKED:
        return Priority.ANSWER
    if isinstance(effect, EditCard) and decision.reason is Reason.STILL_FIRING:
        return Priority.EDIT
    if alert.level is Level.EMERGENCY:
        return Priority.EMERGENCY
    if alert.level is Level.CRITICAL:
        return Priority.CRITICAL
    return Priority.INFO if alert.level is Level.INFO else Priority.ALERT


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
