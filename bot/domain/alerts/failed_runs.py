"""What the end of a run makes of an alert: one that failed opens it, the next one that ends well resolves it.

A failed run is no state: nothing measures it again, and when one fails once more that is another one. So it
needs no confirmation, cannot flap, and its level is that of the worst since it opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from bot.domain.alerts.happenings import DEPLOYS, ChangeKind, Happening, in_time
from bot.domain.alerts.model import (
    AddNote,
    Alert,
    Condition,
    Decision,
    EditCard,
    Note,
    Reported,
    Rule,
    Status,
    Subject,
)
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.transitions import begin, fire, is_history, resolve, rise
from bot.domain.levels import Level

Topic: TypeAlias = tuple[int, str]


def ended(rule: Rule, subject: Subject, alert: Alert | None, event: Reported, now: datetime) -> Decision:
    """What the report of a run that is over makes of an alert. The same words are the same run, told once
    more by a Guardian that was killed in the middle: they change nothing."""
    if alert is not None and is_history(rule, alert, now):
        alert = None
    if not event.firing:
        if alert is None or alert.status is Status.RESOLVED:
            return Decision(alert, (), Reason.REPORT_OVER)
        return resolve(_told(alert, event), now, Reason.REPORT_OVER)
    if alert is None:
        begun = begin(rule, subject, event.at, event.level)
        return fire(rule, begun, _told(begun, event), event.level, now, Reason.REPORTED)
    if (event.title, event.facts) == (alert.title, alert.facts):
        return Decision(alert, (), Reason.DUPLICATE)
    told = _told(alert, event)
    if alert.status is Status.RESOLVED:
        return fire(rule, alert, told, event.level, now, Reason.REPORTED)
    if event.level > alert.level:
        return rise(rule, told, event.level, now)
    return _again(told, event, now)


def _told(alert: Alert, event: Reported) -> Alert:
    return alert._replace(title=event.title, facts=event.facts, last_at=event.at, last_bad=event.firing)


def _again(alert: Alert, event: Reported, now: datetime) -> Decision:
    """An acknowledgement stays and nobody is called anew; but buttons drawn for the earlier run are stale."""
    again = alert._replace(
        version=alert.version + 1,
        repeats=alert.repeats + 1,
        last_post_at=now,
        reason=Reason.FAILED_AGAIN,
    )
    loud = event.level >= Level.CRITICAL and alert.status is not Status.ACKED
    return Decision(again, (EditCard(), AddNote(Note.AGAIN, loud)), Reason.FAILED_AGAIN)


def topic_of(alert: Alert) -> Topic:
    """What is found out about beside the decisions: the alert, and where it tells of runs the latest one."""
    return alert.id, alert.facts.get("operation", "")


def is_about_deployments(alert: Alert) -> bool:
    """Whether the runs that it tells of are deployments and rollbacks."""
    runs = alert.subject.condition is Condition.FAILED_RUN
    return runs and alert.labels.get("operation") == ChangeKind.DEPLOY


def deployment_of(alert: Alert, changes: Iterable[Happening]) -> Happening | None:
    """What the very run that the alert tells of has done last; None of one that has moved no traffic."""
    run = alert.facts.get("operation")
    own = [each for each in changes if each.kind in DEPLOYS and run == f"#{each.facts.get('operation')}"]
    return max(own, key=in_time, default=None)
