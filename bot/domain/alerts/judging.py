"""What a check or the clock means for an alert, before anything is said of who is told.

Pure parts of the alert machine (`lifecycle.step` puts them together).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.alerts import flapping
from bot.domain.alerts.holding import flapping_over, remaining_level, while_flapping
from bot.domain.alerts.model import (
    AddNote,
    Alert,
    Condition,
    Decision,
    EditCard,
    Measured,
    Missed,
    Note,
    Raised,
    Rule,
    Status,
    Subject,
)
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.transitions import begin, fall, fire, is_history, repeat, resolve, rise
from bot.domain.levels import Level

_ALL_WELL = Decision(None, (), Reason.TARGET_BAND)
"""What most checks come to."""


def check(
    rule: Rule, subject: Subject, alert: Alert | None, check: Measured | Missed, now: datetime
) -> Decision:
    """What a check makes of an alert."""
    known = _counting_on(alert, check)
    return _check(rule, subject, None if is_history(rule, known, now) else known, check, now)


def look(rule: Rule, alert: Alert | None, now: datetime) -> Decision:
    """What time alone makes of an alert: flapping by reopenings ends when they are long enough ago."""
    if alert is not None and alert.flapping and flapping.ends(alert, now):
        return flapping_over(rule, alert, now)
    return Decision(alert, (), Reason.NOT_DUE)


def raise_to(rule: Rule, alert: Alert | None, event: Raised, now: datetime) -> Decision:
    """At least that level from now on, or no longer. What is lifted falls by the next checks."""
    if alert is None or not alert.status.is_open:
        return Decision(alert, (), Reason.NOT_OPEN)
    if (event.level, event.why) == (alert.floor, alert.floor_why):
        return Decision(alert, (), Reason.NOT_DUE)
    raised = alert._replace(floor=event.level, floor_why=event.why)
    if event.level is None:
        return Decision(raised._replace(reason=Reason.RAISE_LIFTED), (), Reason.RAISE_LIFTED)
    if event.level <= alert.level:
        return Decision(raised, (), Reason.NOT_DUE)
    return rise(rule, raised, event.level, now, Reason.RAISED)


def _counting_on(alert: Alert | None, check: Measured | Missed) -> Alert | None:
    """The alert, its counts begun anew when the last check was too long ago to be in a row with this one:
    two bad checks before a week off and one after it are not three in a row."""
    if alert is None or check.in_a_row is None or check.at - alert.last_at <= check.in_a_row:
        return alert
    begun = check.at if alert.status is Status.PENDING else alert.detected_at
    return alert._replace(recent=(), below=(), detected_at=begun)


def _check(
    rule: Rule, subject: Subject, alert: Alert | None, check: Measured | Missed, now: datetime
) -> Decision:
    level = _raw_level(rule, subject, check)
    if alert is None:
        if level is None:
            return _ALL_WELL
        alert = begin(rule, subject, check.at, level)
    elif check.at == alert.last_at or timedelta(0) < check.at - alert.last_at < check.apart:
        # A check counts once. An earlier one is a clock that stepped back, and must not be ignored.
        return Decision(alert, (), alert.reason)
    if alert.status is Status.RESOLVED and level is None:
        # What was true at the end stays on the card; only a begun count of bad checks is forgotten.
        rested = alert._replace(recent=()) if alert.recent else alert
        if alert.flips or alert.last_bad:
            rested = _flipped(rested, bad=False)
        return Decision(rested, (), Reason.TARGET_BAND)
    seen = _see(rule, alert, check, level)
    if alert.status.is_open:
        return _while_open(rule, seen, check, level, now)
    return _while_closed(rule, alert, seen, check, level, now)


def _while_closed(
    rule: Rule, before: Alert, alert: Alert, check: Measured | Missed, level: Level | None, now: datetime
) -> Decision:
    """PENDING or recently RESOLVED: wait for enough bad checks in a row. `before` has not seen this one."""
    resolved = before.status is Status.RESOLVED
    if level is None:
        return Decision(None, (), Reason.PENDING_DROPPED)
    confirmed = _confirmed_level(rule, alert)
    if confirmed is None:
        waiting = Reason.MISSED_ONCE if isinstance(check, Missed) else Reason.BELOW_CONFIRMATION
        if resolved:
            # Only the count goes on: the rest is what was true at the end.
            counted = _flipped(before, bad=True)._replace(recent=alert.recent, last_at=alert.last_at)
            return Decision(counted, (), waiting)
        return Decision(alert._replace(reason=waiting), (), waiting)
    no_data = alert.subject.condition is Condition.NO_DATA
    return fire(rule, before, alert, confirmed, now, Reason.NO_DATA if no_data else Reason.CONFIRMED)


def _while_open(
    rule: Rule, alert: Alert, check: Measured | Missed, level: Level | None, now: datetime
) -> Decision:
    """FIRING or ACKED: rise, fall, clear, or count a repeat."""
    confirmed = _confirmed_level(rule, alert)
    if confirmed is not None and confirmed > alert.level:
        return rise(rule, alert, confirmed, now)
    held = _held_level(rule, alert, check, level)
    if held is not None and alert.floor is not None:
        held = max(held, alert.floor)
    if held is not None and held >= alert.level:
        if alert.below:
            alert = alert._replace(below=())
    else:
        alert = alert._replace(below=(*alert.below, 0 if held is None else int(held))[-rule.clear :])
    if alert.flapping:
        return while_flapping(rule, alert, now)
    if flapping.begins(alert, now):
        begun = alert._replace(flapping=True, last_post_at=now, reason=Reason.FLAPPING)
        return Decision(begun, (EditCard(), AddNote(Note.FLAPPING)), Reason.FLAPPING)
    if not alert.below:
        return repeat(rule, alert, now, bad=level is not None)
    remaining = remaining_level(rule, alert)
    if remaining is None:
        no_data = alert.subject.condition is Condition.NO_DATA
        return resolve(alert, now, Reason.MEASURED_AGAIN if no_data else Reason.CLEARED)
    if remaining < alert.level:
        return fall(rule, alert, remaining, now)
    return Decision(alert._replace(reason=Reason.CLEARING), (), Reason.CLEARING)


def _see(rule: Rule, alert: Alert, check: Measured | Missed, level: Level | None) -> Alert:
    """The alert with this check's figures written in: no decision yet."""
    longest = max(rule.confirm, rule.confirm_critical, rule.confirm_emergency, rule.missed)
    recent = () if level is None else (*alert.recent, int(level))[-longest:]
    bad = level is not None
    flips = flapping.record(alert.flips, bad is not alert.last_bad)
    if isinstance(check, Missed):
        return alert._replace(
            recent=recent, last_at=check.at, problem=check.problem, flips=flips, last_bad=bad
        )
    no_data = alert.subject.condition is Condition.NO_DATA
    return alert._replace(
        recent=recent,
        last_at=check.at,
        flips=flips,
        last_bad=bad,
        # The bands may have been changed since it opened: it is judged by those of now.
        target_band=None if no_data or rule.bands is None else rule.bands.target.text,
        value=None if no_data else check.value,
        peak=None if no_data else _worse(rule, alert, check.value),
        facts=check.facts or alert.facts,
    )


def _flipped(alert: Alert, *, bad: bool) -> Alert:
    """The alert with one more result in its slots."""
    return alert._replace(flips=flapping.record(alert.flips, bad is not alert.last_bad), last_bad=bad)


def _worse(rule: Rule, alert: Alert, value: float) -> float:
    """The worse of the peak so far and `value`."""
    if alert.peak is None or rule.bands is None:
        return value
    return max(alert.peak, value) if rule.bands.rising else min(alert.peak, value)


def _raw_level(rule: Rule, subject: Subject, check: Measured | Missed) -> Level | None:
    """The level of one check by itself. A probe without data is an error (design, Levels)."""
    if subject.condition is Condition.NO_DATA:
        return Level.ERROR if isinstance(check, Missed) else None
    if isinstance(check, Missed) or rule.bands is None:
        return None
    return rule.bands.level_of(check.value)


def _held_level(rule: Rule, alert: Alert, check: Measured | Missed, level: Level | None) -> Level | None:
    """The level of one check for an open alert, where a level is left only beyond its exit threshold."""
    if isinstance(check, Missed) or rule.bands is None or alert.subject.condition is Condition.NO_DATA:
        return level
    return rule.bands.level_held(check.value, alert.level, rule.margin)


def _confirmed_level(rule: Rule, alert: Alert) -> Level | None:
    """The worst level that enough of the last checks in a row have reached."""
    for level in sorted({Level(seen) for seen in alert.recent}, reverse=True):
        needed = rule.missed if alert.subject.condition is Condition.NO_DATA else rule.checks_for(level)
        if _reached(alert.recent, level, needed):
            return level
    return None


def _reached(recent: Sequence[int], level: Level, needed: int) -> bool:
    return len(recent) >= needed and min(recent[-needed:]) >= level
