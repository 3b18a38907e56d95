"""What people do to an alert: acknowledge it, write in its thread, call it resolved."""

from __future__ import annotations

from datetime import datetime

from bot.domain.alerts.ladder import DEFAULT_ACK_EXPIRES
from bot.domain.alerts.model import (
    Acknowledged,
    Active,
    AddNote,
    Alert,
    Condition,
    Decision,
    EditCard,
    Note,
    ResolvedByHand,
    Rule,
    Status,
)
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.transitions import ended
from bot.domain.levels import Level


def acknowledge(alert: Alert | None, click: Acknowledged, now: datetime) -> Decision:
    """Someone has it: the ladder stops until the acknowledgement expires."""
    if alert is None or not alert.status.is_open:
        return Decision(alert, (), Reason.NOT_OPEN)
    if alert.status is Status.ACKED:
        return Decision(alert, (), Reason.ACK_ALREADY)
    if click.version != alert.version:
        return Decision(alert, (), Reason.ACK_STALE)
    acked = alert._replace(
        status=Status.ACKED,
        version=alert.version + 1,
        acked_by=click.by,
        acked_at=now,
        ack_until=_holds_until(alert, now),
        progress=None,
        seen_by=_seen(alert, click.by),
        last_post_at=now,
        reason=Reason.ACKED,
    )
    return Decision(acked, (EditCard(), AddNote(Note.ACKED, actor=click.by)), Reason.ACKED)


def active(alert: Alert | None, event: Active, now: datetime) -> Decision:
    """Someone wrote in the thread: they have seen it, and an acknowledgement holds on from now."""
    if alert is None or not alert.status.is_open:
        return Decision(alert, (), Reason.NOT_OPEN)
    seen = alert._replace(seen_by=_seen(alert, event.by))
    effects = (EditCard(),) if seen.seen_by != alert.seen_by and alert.carded else ()
    if alert.status is not Status.ACKED:
        return Decision(seen, effects, Reason.SEEN)
    return Decision(seen._replace(ack_until=_holds_until(alert, now)), effects, Reason.ACK_RENEWED)


def resolve(rule: Rule, alert: Alert | None, click: ResolvedByHand, now: datetime) -> Decision:
    """Someone says that it is over: refused while the last check says that it is not."""
    if alert is None or not alert.status.is_open:
        return Decision(alert, (), Reason.NOT_OPEN)
    if click.version != alert.version:
        return Decision(alert, (), Reason.ACK_STALE)
    if alert.last_bad and not _says_nothing_more(rule, alert, now):
        return Decision(alert, (), Reason.STILL_BAD)
    over = ended(alert, now, Reason.RESOLVED_BY_HAND)._replace(seen_by=_seen(alert, click.by), progress=None)
    note = AddNote(Note.RESOLVED_BY_HAND, alert.peak_level >= Level.CRITICAL, actor=click.by)
    return Decision(over, (EditCard(), note), Reason.RESOLVED_BY_HAND)


def _says_nothing_more(rule: Rule, alert: Alert, now: datetime) -> bool:
    """Whether nothing tells how it is now, or the last word is so old that a person knows better."""
    if not alert.subject.condition.is_state:
        return True
    reported = alert.subject.condition is Condition.REPORTED
    return reported and now - alert.last_at >= rule.report_stale_after


def _holds_until(alert: Alert, now: datetime) -> datetime:
    expires = DEFAULT_ACK_EXPIRES if alert.policy is None else alert.policy.ack_expires
    return now + expires.get(alert.level, DEFAULT_ACK_EXPIRES[alert.level])


def _seen(alert: Alert, by: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*alert.seen_by, by)))
