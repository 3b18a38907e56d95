"""Between rows and domain values. Nothing outside the store sees a row."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType

from pydantic import JsonValue
from sqlalchemy import RowMapping

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.alerts.ladder import Progress, Recipient, TargetKind
from bot.domain.alerts.model import Alert, Condition, Status, Subject
from bot.domain.alerts.paging import deadline_of
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.storm import Storm
from bot.domain.letters import Card, Letter, LetterKind, Priority
from bot.domain.levels import Level
from bot.store.changes import DecisionMade, PageMade
from bot.store.policies import policy_of, policy_text
from probes.base import Layer, Problem, ProblemKind

Row = dict[str, object]


def alert_row(alert: Alert) -> Row:
    """The columns of `alerts`."""
    subject, progress = alert.subject, alert.progress
    return {
        "id": alert.id,
        "key": subject.key,
        "environment": subject.environment,
        "source": subject.source,
        "metric": subject.metric,
        "target": subject.target,
        "condition": subject.condition.value,
        "layer": alert.layer.value,
        "version": alert.version,
        "status": alert.status.value,
        "level": int(alert.level),
        "peak_level": int(alert.peak_level),
        "unit": alert.unit,
        "value": alert.value,
        "band": alert.band,
        "target_band": alert.target_band,
        "problem_kind": alert.problem.kind.value if alert.problem else None,
        "problem_detail": alert.problem.detail if alert.problem else None,
        "detected_at": alert.detected_at,
        "last_at": alert.last_at,
        "recent": list(alert.recent),
        "below": list(alert.below),
        "value_at_firing": alert.value_at_firing,
        "peak": alert.peak,
        "fired_at": alert.fired_at,
        "resolved_at": alert.resolved_at,
        "acked_by": alert.acked_by,
        "acked_at": alert.acked_at,
        "last_post_at": alert.last_post_at,
        "repeats": alert.repeats,
        "reopened": alert.reopened,
        "facts": dict(alert.facts),
        "reason": alert.reason.value,
        "title": alert.title,
        "labels": dict(alert.labels),
        "channel": alert.channel,
        "route": alert.route,
        "policy": None if alert.policy is None else policy_text(alert.policy),
        "epoch": alert.epoch,
        "ladder_began_at": progress.began_at if progress else None,
        "next_round": progress.round if progress else None,
        "next_step": progress.step if progress else None,
        "next_step_at": progress.next_at if progress else None,
        "ack_until": alert.ack_until,
        "seen_by": list(alert.seen_by),
        "pages": alert.pages,
        "cover": None if alert.cover is None else _cover_json(alert.cover),
        "broken": list(alert.broken),
        "carded": alert.carded,
        "storm": alert.storm,
        "last_bad": alert.last_bad,
        "flips": alert.flips,
        "flapping": alert.flapping,
        "reopenings": [moment.isoformat() for moment in alert.reopenings],
        "floor": None if alert.floor is None else int(alert.floor),
        "floor_why": alert.floor_why,
        "due_at": deadline_of(alert),
    }


def alert_of(row: RowMapping) -> Alert:
    """The alert of a row of `alerts`."""
    kind = row["problem_kind"]
    return Alert(
        id=row["id"],
        subject=Subject(
            environment=row["environment"],
            source=row["source"],
            metric=row["metric"],
            target=row["target"],
            condition=Condition(row["condition"]),
        ),
        layer=Layer(row["layer"]),
        version=row["version"],
        status=Status(row["status"]),
        level=Level(row["level"]),
        peak_level=Level(row["peak_level"]),
        unit=row["unit"],
        value=row["value"],
        band=row["band"],
        target_band=row["target_band"],
        problem=None if kind is None else Problem(ProblemKind(kind), row["problem_detail"] or ""),
        detected_at=row["detected_at"],
        last_at=row["last_at"],
        recent=tuple(row["recent"]),
        below=tuple(row["below"]),
        value_at_firing=row["value_at_firing"],
        peak=row["peak"],
        fired_at=row["fired_at"],
        resolved_at=row["resolved_at"],
        acked_by=row["acked_by"],
        acked_at=row["acked_at"],
        last_post_at=row["last_post_at"],
        repeats=row["repeats"],
        reopened=row["reopened"],
        facts=MappingProxyType(dict(row["facts"])),
        reason=Reason(row["reason"]),
        title=row["title"],
        labels=MappingProxyType(dict(row["labels"])),
        channel=row["channel"],
        route=row["route"],
        policy=None if row["policy"] is None else policy_of(row["policy"]),
        progress=_progress_of(row),
        epoch=row["epoch"],
        ack_until=row["ack_until"],
        seen_by=tuple(row["seen_by"]),
        pages=row["pages"],
        cover=None if row["cover"] is None else _cover_of(row["cover"]),
        broken=tuple(row["broken"]),
        carded=row["carded"],
        storm=row["storm"],
        last_bad=row["last_bad"],
        flips=row["flips"],
        flapping=row["flapping"],
        reopenings=tuple(datetime.fromisoformat(moment) for moment in row["reopenings"]),
        floor=None if row["floor"] is None else Level(row["floor"]),
        floor_why=row["floor_why"],
    )


def _progress_of(row: RowMapping) -> Progress | None:
    began_at = row["ladder_began_at"]
    if began_at is None:
        return None
    return Progress(row["epoch"], began_at, row["next_round"], row["next_step"], row["next_step_at"])


def _cover_json(cover: Cover) -> dict[str, JsonValue]:
    return {
        "kind": cover.kind.value,
        "ref": cover.ref,
        "until": cover.until.isoformat() if cover.until else None,
        "by": cover.by,
        "why": cover.why,
        "level": int(cover.level),
    }


def _cover_of(data: dict[str, str]) -> Cover:
    until = data["until"]
    return Cover(
        kind=CoverKind(data["kind"]),
        ref=data["ref"],
        until=datetime.fromisoformat(until) if until else None,
        by=data["by"],
        why=data["why"],
        level=Level(int(data["level"])),
    )


def page_row(page: PageMade) -> Row:
    """The columns of `pages`."""
    return {
        "alert_id": page.alert_id,
        "epoch": page.epoch,
        "round": page.round,
        "step": page.step,
        "at": page.at,
        "recipients": [[each.kind.value, each.id, each.name] for each in page.recipients],
        "level": int(page.level),
        "metric": page.metric,
    }


def page_of(row: RowMapping) -> PageMade:
    """The page of a row of `pages`."""
    return PageMade(
        alert_id=row["alert_id"],
        epoch=row["epoch"],
        round=row["round"],
        step=row["step"],
        at=row["at"],
        recipients=tuple(Recipient(TargetKind(kind), who, name) for kind, who, name in row["recipients"]),
        level=Level(row["level"]),
        metric=row["metric"],
    )


def storm_row(storm: Storm) -> Row:
    """The columns of `storms`."""
    return {
        "id": storm.id,
        "channel": storm.channel,
        "began_at": storm.began_at,
        "busy_at": storm.busy_at,
        "ended_at": storm.ended_at,
        "services": sorted(storm.services),
        "folded": storm.folded,
    }


def storm_of(row: RowMapping) -> Storm:
    """The storm of a row of `storms`."""
    return Storm(
        id=row["id"],
        channel=row["channel"],
        began_at=row["began_at"],
        busy_at=row["busy_at"],
        services=frozenset(row["services"]),
        folded=row["folded"],
        ended_at=row["ended_at"],
    )


def decision_row(decision: DecisionMade) -> Row:
    """The columns of `decisions`."""
    return {
        "alert_id": decision.alert_id,
        "version": decision.version,
        "at": decision.at,
        "event": decision.event,
        "reason": decision.reason.value,
        "from_status": decision.from_status.value if decision.from_status else None,
        "to_status": decision.to_status.value,
        "level": int(decision.level),
        "value": decision.value,
        "actor": decision.actor,
        "detail": decision.detail,
    }


def decision_of(row: RowMapping) -> DecisionMade:
    """The decision of a row of `decisions`."""
    before = row["from_status"]
    return DecisionMade(
        alert_id=row["alert_id"],
        version=row["version"],
        at=row["at"],
        event=row["event"],
        reason=Reason(row["reason"]),
        from_status=None if before is None else Status(before),
        to_status=Status(row["to_status"]),
        level=Level(row["level"]),
        value=row["value"],
        actor=row["actor"],
        detail=row["detail"],
    )


def letter_row(letter: Letter) -> Row:
    """The columns of `letters` for one that is queued."""
    facts: dict[str, JsonValue] = dict(letter.facts)
    return {
        "id": letter.id,
        "stream": letter.stream,
        "kind": letter.kind.value,
        "channel": letter.channel,
        "template": letter.template,
        "facts": facts,
        "priority": int(letter.priority),
        "broadcast": letter.broadcast,
        "created_at": letter.created_at,
        "since": letter.since,
        "state": "queued",
        "attempts": letter.attempts,
        "leased_until": letter.leased_until,
    }


def letter_of(row: RowMapping) -> Letter:
    """The letter of a row of `letters`."""
    return Letter(
        id=row["id"],
        stream=row["stream"],
        kind=LetterKind(row["kind"]),
        channel=row["channel"],
        template=row["template"],
        facts=row["facts"],
        priority=Priority(row["priority"]),
        created_at=row["created_at"],
        since=row["since"],
        broadcast=row["broadcast"],
        attempts=row["attempts"],
        leased_until=row["leased_until"],
    )


def card_row(card: Card) -> Row:
    """The columns of `cards`."""
    return {
        "stream": card.stream,
        "channel_id": card.channel_id,
        "ts": card.ts,
        "posted_at": card.posted_at,
        "delivery_ms": card.delivery_ms,
    }


def card_of(row: RowMapping) -> Card:
    """The card of a row of `cards`."""
    return Card(
        stream=row["stream"],
        channel_id=row["channel_id"],
        ts=row["ts"],
        posted_at=row["posted_at"],
        delivery_ms=row["delivery_ms"],
    )
