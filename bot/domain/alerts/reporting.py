"""What somebody else's judgement makes of an alert: another monitoring system, or a job's deadline."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.alerts.holding import while_flapping
from bot.domain.alerts.model import Alert, Decision, Reported, Rule, Status, Subject
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.transitions import (
    again,
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
    if event.once and alert.status.is_open:
        level = max(level, alert.level)  # the worst of what has happened is not made good by what is milder
    below = () if event.firing and level >= alert.level else (int(level) if event.firing else 0,)
    said = (event.title or alert.title, event.facts or alert.facts)
    another = event.once and said != (alert.title, alert.facts)
    known = (alert.last_bad or event.once) and not another
    same = event.firing and known and level == alert.level and not alert.below
    if same and alert.status.is_open and timedelta(0) <= now - alert.last_at < rule.repeat_window:
        return Decision(alert, (), Reason.DUPLICATE)
    seen = alert._replace(
        title=said[0],
        facts=said[1],
        last_at=event.at,
        last_bad=event.firing and not event.once,
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
    if another:
        return again(seen, now)
    return repeat(rule, seen, now, bad=True)
