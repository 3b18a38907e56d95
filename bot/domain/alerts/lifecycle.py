"""The alert machine: what a check or a click makes of an alert.

    OK → PENDING → FIRING → ACKED → RESOLVED, and back to FIRING when it comes again soon.

Pure: no clock, no I/O. A button and a reading walk the same machine, and every decision has a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alerts.model import (
    Acknowledged,
    AddNote,
    Alert,
    Condition,
    Decision,
    EditCard,
    Event,
    Measured,
    Missed,
    Note,
    PostCard,
    Rule,
    Status,
    Subject,
    Unwatched,
)
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level


def step(rule: Rule, subject: Subject, alert: Alert | None, event: Event, now: datetime) -> Decision:
    """Decide what `event` makes of `alert` (None: nothing is known about `subject` yet).

    A new alert has id 0 and version 0 until the store gives it an id. An alert that is resolved for
    longer than the reopening time is history: a bad check then starts a new one.
    """
    match event:
        case Acknowledged():
            return _acknowledge(alert, event, now)
        case Unwatched():
            return _unwatch(alert, now)
        case Missed() if subject.condition is Condition.THRESHOLD:
            return Decision(alert, (), Reason.NO_DATA_HELD)
        case Missed() | Measured():
            known = _counting_on(alert, event)
            return _check(rule, subject, None if _is_history(rule, known, now) else known, event, now)


def _counting_on(alert: Alert | None, check: Measured | Missed) -> Alert | None:
    """The alert, its counts begun anew when the last check was too long ago to be in a row with this one:
    two bad checks before a week off and one after it are not three in a row."""
    if alert is None or check.in_a_row is None or check.at - alert.last_at <= check.in_a_row:
        return alert
    begun = check.at if alert.status is Status.PENDING else alert.detected_at
    return replace(alert, recent=(), below=(), detected_at=begun)


def _is_history(rule: Rule, alert: Alert | None, now: datetime) -> bool:
    """Whether `alert` is over for too long to be reopened."""
    # A confirmation that began in time may end after it.
    if alert is None or alert.status is not Status.RESOLVED or alert.recent:
        return False
    return now - (alert.resolved_at or alert.last_at) > rule.reopen_within


def _check(
    rule: Rule, subject: Subject, alert: Alert | None, check: Measured | Missed, now: datetime
) -> Decision:
    level = _raw_level(rule, subject, check)
    if alert is None:
        if level is None:
            return Decision(None, (), Reason.TARGET_BAND)
        alert = _begin(rule, subject, check, level)
    elif check.at == alert.last_at or timedelta(0) < check.at - alert.last_at < check.apart:
        # A check counts once. An earlier one is a clock that stepped back, and must not be ignored.
        return Decision(alert, (), alert.reason)
    if alert.status is Status.RESOLVED and level is None:
        # What was true at the end stays on the card; only a begun count of bad checks is forgotten.
        rested = replace(alert, recent=()) if alert.recent else alert
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
            return Decision(replace(before, recent=alert.recent, last_at=alert.last_at), (), waiting)
        return Decision(replace(alert, reason=waiting), (), waiting)
    fired = replace(
        _mark(rule, alert, level=confirmed, reason=Reason.CONFIRMED),
        status=Status.FIRING,
        version=alert.version + 1,
        fired_at=now,
        below=(),
        value_at_firing=alert.value,
        last_post_at=now,
    )
    if resolved:
        again = replace(
            fired,
            reopened=alert.reopened + 1,
            resolved_at=None,
            acked_by=None,
            acked_at=None,
            peak_level=max(confirmed, alert.peak_level),
            fired_at=alert.fired_at,
            value_at_firing=alert.value_at_firing,
            reason=Reason.REOPENED,
        )
        broadcast = confirmed >= Level.CRITICAL
        return Decision(again, (EditCard(), AddNote(Note.REOPENED, broadcast)), Reason.REOPENED)
    peaked = replace(fired, peak_level=confirmed)
    if alert.subject.condition is Condition.NO_DATA:
        return Decision(
            replace(peaked, reason=Reason.NO_DATA), (PostCard(), AddNote(Note.NO_DATA)), Reason.NO_DATA
        )
    return Decision(peaked, (PostCard(), AddNote(Note.OPENED)), Reason.CONFIRMED)


def _while_open(
    rule: Rule, alert: Alert, check: Measured | Missed, level: Level | None, now: datetime
) -> Decision:
    """FIRING or ACKED: rise, fall, clear, or count a repeat."""
    confirmed = _confirmed_level(rule, alert)
    if confirmed is not None and confirmed > alert.level:
        return _rise(rule, alert, confirmed, now)
    held = _held_level(rule, alert, check, level)
    if held is None or held < alert.level:
        below = (*alert.below, 0 if held is None else int(held))[-rule.clear :]
        alert = replace(alert, below=below)
        if len(below) >= rule.clear:
            remaining = max(below)
            return _fall(rule, alert, Level(remaining), now) if remaining else _resolve(alert, now)
        return Decision(replace(alert, reason=Reason.CLEARING), (), Reason.CLEARING)
    repeated = replace(alert, below=(), repeats=alert.repeats + (level is not None))
    if alert.last_post_at is not None and timedelta(0) <= now - alert.last_post_at < rule.repeat_window:
        return Decision(replace(repeated, reason=Reason.DUPLICATE), (), Reason.DUPLICATE)
    edited = replace(repeated, last_post_at=now, reason=Reason.STILL_FIRING)
    return Decision(edited, (EditCard(),), Reason.STILL_FIRING)


def _rise(rule: Rule, alert: Alert, level: Level, now: datetime) -> Decision:
    """A rise in level voids the acknowledgement: who said "seen" has not seen this."""
    risen = replace(
        _mark(rule, alert, level=level, reason=Reason.LEVEL_RISE),
        status=Status.FIRING,
        version=alert.version + 1,
        peak_level=max(level, alert.peak_level),
        acked_by=None,
        acked_at=None,
        below=(),
        last_post_at=now,
        repeats=alert.repeats + 1,
    )
    note = AddNote(Note.LEVEL_UP, broadcast=level >= Level.CRITICAL, from_level=alert.level)
    return Decision(risen, (EditCard(), note), Reason.LEVEL_RISE)


def _fall(rule: Rule, alert: Alert, level: Level, now: datetime) -> Decision:
    """A fall only edits: an acknowledgement stays."""
    fallen = replace(
        _mark(rule, alert, level=level, reason=Reason.LEVEL_FALL),
        version=alert.version + 1,
        below=(),
        last_post_at=now,
    )
    return Decision(fallen, (EditCard(), AddNote(Note.LEVEL_DOWN, from_level=alert.level)), Reason.LEVEL_FALL)


def _resolve(alert: Alert, now: datetime) -> Decision:
    no_data = alert.subject.condition is Condition.NO_DATA
    reason = Reason.MEASURED_AGAIN if no_data else Reason.CLEARED
    note = Note.MEASURED_AGAIN if no_data else Note.RESOLVED
    resolved = _ended_at(alert, now, reason)
    broadcast = alert.peak_level >= Level.CRITICAL
    return Decision(resolved, (EditCard(), AddNote(note, broadcast)), reason)


def _acknowledge(alert: Alert | None, click: Acknowledged, now: datetime) -> Decision:
    if alert is None or not alert.status.is_open:
        return Decision(alert, (), Reason.NOT_OPEN)
    if alert.status is Status.ACKED:
        return Decision(alert, (), Reason.ACK_ALREADY)
    if click.version != alert.version:
        return Decision(alert, (), Reason.ACK_STALE)
    acked = replace(
        alert,
        status=Status.ACKED,
        version=alert.version + 1,
        acked_by=click.by,
        acked_at=now,
        last_post_at=now,
        reason=Reason.ACKED,
    )
    return Decision(acked, (EditCard(), AddNote(Note.ACKED, actor=click.by)), Reason.ACKED)


def _unwatch(alert: Alert | None, now: datetime) -> Decision:
    reason = Reason.NO_LONGER_WATCHED
    if alert is None or not alert.status.is_open:
        # A pending one is dropped, a resolved one is left as it is.
        kept = alert if alert is not None and alert.status is Status.RESOLVED else None
        return Decision(kept, (), reason)
    return Decision(_ended_at(alert, now, reason), (EditCard(), AddNote(Note.RESOLVED)), reason)


def _ended_at(alert: Alert, now: datetime, reason: Reason) -> Alert:
    return replace(
        alert,
        status=Status.RESOLVED,
        version=alert.version + 1,
        resolved_at=now,
        recent=(),
        below=(),
        last_post_at=now,
        reason=reason,
    )


def _begin(rule: Rule, subject: Subject, check: Measured | Missed, level: Level) -> Alert:
    bands = rule.bands if subject.condition is Condition.THRESHOLD else None
    return Alert(
        id=0,
        subject=subject,
        layer=rule.layer,
        version=0,
        status=Status.PENDING,
        level=level,
        peak_level=level,
        unit=bands.unit if bands else "",
        value=None,
        band=None,
        target_band=bands.target.text if bands else None,
        problem=None,
        detected_at=check.at,
        last_at=check.at,
    )


def _see(rule: Rule, alert: Alert, check: Measured | Missed, level: Level | None) -> Alert:
    """The alert with this check's figures written in: no decision yet."""
    longest = max(rule.confirm, rule.confirm_critical, rule.confirm_emergency, rule.missed)
    recent = () if level is None else (*alert.recent, int(level))[-longest:]
    if isinstance(check, Missed):
        return replace(alert, recent=recent, last_at=check.at, problem=check.problem)
    no_data = alert.subject.condition is Condition.NO_DATA
    return replace(
        alert,
        recent=recent,
        last_at=check.at,
        # The bands may have been changed since it opened: it is judged by those of now.
        target_band=None if no_data or rule.bands is None else rule.bands.target.text,
        value=None if no_data else check.value,
        peak=None if no_data else _worse(rule, alert, check.value),
        facts=check.facts or alert.facts,
    )


def _worse(rule: Rule, alert: Alert, value: float) -> float:
    """The worse of the peak so far and `value`."""
    if alert.peak is None or rule.bands is None:
        return value
    return max(alert.peak, value) if rule.bands.rising else min(alert.peak, value)


def _mark(rule: Rule, alert: Alert, level: Level, reason: Reason) -> Alert:
    """The alert at `level`, with that level's band and the reason."""
    bands = rule.bands if alert.subject.condition is Condition.THRESHOLD else None
    band = bands.levels[level].text if bands is not None and level in bands.levels else None
    return replace(alert, level=level, band=band, reason=reason)


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
