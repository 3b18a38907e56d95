"""Between rows and domain values. Nothing outside the store sees a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

import structlog
from pydantic import JsonValue
from sqlalchemy import RowMapping

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.alerts.ladder import Policy, Progress, Recipient, TargetKind
from bot.domain.alerts.model import Alert, Condition, Status, Subject
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.storm import Storm
from bot.domain.letters import Card, Letter, LetterKind, LetterState, Priority
from bot.domain.levels import Level
from bot.store import tables
from bot.store.changes import DecisionMade, PageMade
from bot.store.policies import kept_policy, policy_of
from probes.base import Layer, Problem, ProblemKind

log = structlog.get_logger(__name__)

_V = TypeVar("_V")
Row = dict[str, object]
Values = tuple[object, ...]


ALERT_COLUMNS = tuple(tables.alerts.c.keys())
DECISION_COLUMNS = tuple(name for name in tables.decisions.c.keys() if name != "id")
PAGE_COLUMNS = tuple(tables.pages.c.keys())
LETTER_COLUMNS = tuple(name for name in tables.letters.c.keys() if name not in ("sent_at", "ts", "error"))


def alert_row(alert: Alert) -> Values:
    """The values of ALERT_COLUMNS, in their order: a tuple is made and read in a third of a dict's time, and
    storms have ten thousand rows."""
    subject, progress, problem, cover = alert.subject, alert.progress, alert.problem, alert.cover
    return (
        alert.id,
        subject.key,
        subject.environment,
        subject.source,
        subject.metric,
        subject.target,
        subject.condition.value,
        alert.layer.value,
        alert.version,
        alert.status.value,
        int(alert.level),
        int(alert.peak_level),
        alert.unit,
        alert.value,
        alert.band,
        alert.target_band,
        problem.kind.value if problem else None,
        problem.detail if problem else None,
        alert.detected_at,
        alert.last_at,
        alert.recent,
        alert.below,
        alert.value_at_firing,
        alert.peak,
        alert.fired_at,
        alert.resolved_at,
        alert.acked_by,
        alert.acked_at,
        alert.last_post_at,
        alert.repeats,
        alert.reopened,
        _plain(alert.facts),
        alert.reason.value,
        alert.title,
        _plain(alert.labels),
        alert.channel,
        alert.route,
        None if alert.policy is None else kept_policy(alert.policy).key,
        alert.epoch,
        progress.began_at if progress else None,
        progress.round if progress else None,
        progress.step if progress else None,
        progress.next_at if progress else None,
        alert.ack_until,
        alert.seen_by,
        alert.pages,
        None if cover is None else _cover_json(cover),
        alert.broken,
        alert.carded,
        alert.storm,
        alert.last_bad,
        alert.flips,
        alert.flapping,
        [moment.isoformat() for moment in alert.reopenings] if alert.reopenings else (),
        None if alert.floor is None else int(alert.floor),
        alert.floor_why,
    )


def _plain(mapping: Mapping[str, _V]) -> dict[str, _V]:
    """As a dict, which JSON's writers know; most are one."""
    return mapping if type(mapping) is dict else dict(mapping)


def alert_of(row: RowMapping) -> Alert:
    """The alert of a row of `alerts`, with the text of its policy."""
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
        policy=_policy_of(row),
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


def _policy_of(row: RowMapping) -> Policy | None:
    if row["policy"] is not None and row["policy_text"] is None:
        # Somebody else has taken it away. An alert without a policy is better than no alerts at all.
        log.error("policy_is_missing", alert=row["id"], policy=row["policy"])
    return None if row["policy_text"] is None else policy_of(row["policy_text"])


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


def page_row(page: PageMade) -> Values:
    """The values of PAGE_COLUMNS, in their order."""
    return (
        page.alert_id,
        page.epoch,
        page.round,
        page.step,
        page.at,
        [[each.kind.value, each.id, each.name] for each in page.recipients],
        int(page.level),
        page.metric,
    )


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


def decision_row(decision: DecisionMade) -> Values:
    """The values of DECISION_COLUMNS, in their order."""
    return (
        decision.alert_id,
        decision.version,
        decision.at,
        decision.event,
        decision.reason.value,
        decision.from_status.value if decision.from_status else None,
        decision.to_status.value,
        int(decision.level),
        decision.value,
        decision.actor,
        decision.detail,
    )


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


def letter_row(letter: Letter) -> Values:
    """The values of LETTER_COLUMNS for one that is queued, in their order."""
    return (
        letter.id,
        letter.stream,
        letter.kind.value,
        letter.channel,
        letter.template,
        _plain(letter.facts),
        int(letter.priority),
        letter.broadcast,
        letter.created_at,
        letter.since,
        LetterState.QUEUED.value,
        letter.attempts,
        letter.leased_until,
    )


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
