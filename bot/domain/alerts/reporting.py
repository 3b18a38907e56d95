"""What somebody else's judgement makes of an alert: another monitoring system, or a job's deadline."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.alerts.holding import while_flapping
from bot.domain.alerts.model import Alert, Decision, Reported, Rule, Status, Subject
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.transitions import (
    begin,
    fall,
    fire,
    is_history,
    reopened_once_more,
    repeat,
    resolve,
    rise,
)


def report(rule: Rule, subject: Subject, alert: Alert | None, event: Reported, now: datetime) -> Decision:
    """What somebody else's judgement makes of an alert. It needs no confirmation: they had their own.

    The same report again within the window against repeats changes nothing at all.
    """
    if alert is not None and is_history(rule, alert, now):
        alert = None
    if alert is None:
        if not event.firing:
            return Decision(None, (), Reason.REPORT_OVER)
        alert = begin(rule, subject, event.at, event.level)
    elif alert.status is Status.RESOLVED and not event.firing:
        return Decision(alert, (), Reason.REPORT_OVER)
    level = event.level if alert.floor is None else max(event.level, alert.floor)
    below = () if event.firing and level >= alert.level else (int(level) if event.firing else 0,)
    same = event.firing and alert.last_bad and level == alert.level and not alert.below
    if same and alert.status.is_open and timedelta(0) <= now - alert.last_at < rule.repeat_window:
        return Decision(alert, (), Reason.DUPLICATE)
    seen = alert._replace(
        title=event.title or alert.title,
        facts=event.facts or alert.facts,
        last_at=event.at,
        last_bad=event.firing,
    )
    if not alert.status.is_open:
        return fire(rule, alert, seen, level, now, Reason.REPORTED)
    if level > alert.level and event.firing:
        return rise(rule, seen, level, now)
    if alert.flapping:
        # Reports come when something changes, so that they fill no slots: how often it comes back decides.
        if event.firing and not alert.last_bad:
            seen = reopened_once_more(seen, now)
        return while_flapping(rule, seen._replace(below=below), now)
    if not event.firing:
        return resolve(seen, now, Reason.REPORT_OVER)
    if level < alert.level:
        return fall(rule, seen, level, now)
    return repeat(rule, seen, now, bad=True)
