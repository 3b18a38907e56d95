"""What a check, a report or the clock means for an alert, before anything is said of who is told.

Pure parts of the alert machine (`lifecycle.step` puts them together).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alerts import flapping
from bot.domain.alerts.model import (
    AddNote,
    Alert,
    Condition,
    Decision,
    EditCard,
    Effect,
    Measured,
    Missed,
    Note,
    PostCard,
    Raised,
    Reported,
    Rule,
    Status,
    Subject,
)
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level

_REPORTED = (Condition.REPORTED, Condition.HEARTBEAT)
"""Conditions that others judge."""
_ALL_WELL = Decision(None, (), Reason.TARGET_BAND)
"""What most checks come to."""


def check(
    rule: Rule, subject: Subject, alert: Alert | None, check: Measured | Missed, now: datetime
) -> Decision:
    """What a check makes of an alert."""
    known = _counting_on(alert, check)
    return _check(rule, subject, None if _is_history(rule, known, now) else known, check, now)


def look(rule: Rule, alert: Alert | None, now: datetime) -> Decision:
    """What time alone makes of an alert: flapping by reopenings ends when they are long enough ago."""
    if alert is not None and alert.flapping and flapping.ends(alert, now):
        return _flapping_over(rule, alert, now)
    return Decision(alert, (), Reason.NOT_DUE)


def raise_to(rule: Rule, alert: Alert | None, event: Raised, now: datetime) -> Decision:
    """At least that level from now on, or no longer. What is lifted falls by the next checks."""
    if alert is None or not alert.status.is_open:
        return Decision(alert, (), Reason.NOT_OPEN)
    if (event.level, event.why) == (alert.floor, alert.floor_why):
        return Decision(alert, (), Reason.NOT_DUE)
    raised = replace(alert, floor=event.level, floor_why=event.why)
    if event.level is None:
        return Decision(replace(raised, reason=Reason.RAISE_LIFTED), (), Reason.RAISE_LIFTED)
    if event.level <= alert.level:
        return Decision(raised, (), Reason.NOT_DUE)
    return _rise(rule, raised, event.level, now, Reason.RAISED)


def report(rule: Rule, subject: Subject, alert: Alert | None, event: Reported, now: datetime) -> Decision:
    """What somebody else's judgement makes of an alert. It needs no confirmation: they had their own.

    The same report again within the window against repeats changes nothing at all.
    """
    if alert is not None and _is_history(rule, alert, now):
        alert = None
    if alert is None:
        if not event.firing:
            return Decision(None, (), Reason.REPORT_OVER)
        alert = _begin(rule, subject, event.at, event.level)
    elif alert.status is Status.RESOLVED and not event.firing:
        return Decision(alert, (), Reason.REPORT_OVER)
    level = event.level if alert.floor is None else max(event.level, alert.floor)
    below = () if event.firing and level >= alert.level else (int(level) if event.firing else 0,)
    same = event.firing and alert.last_bad and level == alert.level and not alert.below
    if same and alert.status.is_open and timedelta(0) <= now - alert.last_at < rule.repeat_window:
        return Decision(alert, (), Reason.DUPLICATE)
    seen = replace(
        alert,
        title=event.title or alert.title,
        facts=event.facts or alert.facts,
        last_at=event.at,
        last_bad=event.firing,
    )
    if not alert.status.is_open:
        return _fire(rule, alert, seen, level, now, Reason.REPORTED)
    if level > alert.level and event.firing:
        return _rise(rule, seen, level, now)
    if alert.flapping:
        # Reports come when something changes, so that they fill no slots: how often it comes back decides.
        came_back = event.firing and not alert.last_bad
        return _while_flapping(rule, replace(_again(seen, now) if came_back else seen, below=below), now)
    if not event.firing:
        return _resolve(seen, now, Reason.REPORT_OVER)
    if level < alert.level:
        return _fall(rule, seen, level, now)
    return _repeat(rule, seen, now, bad=True)


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
            return _ALL_WELL
        alert = _begin(rule, subject, check.at, level)
    elif check.at == alert.last_at or timedelta(0) < check.at - alert.last_at < check.apart:
        # A check counts once. An earlier one is a clock that stepped back, and must not be ignored.
        return Decision(alert, (), alert.reason)
    if alert.status is Status.RESOLVED and level is None:
        # What was true at the end stays on the card; only a begun count of bad checks is forgotten.
        rested = replace(alert, recent=()) if alert.recent else alert
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
            counted = replace(_flipped(before, bad=True), recent=alert.recent, last_at=alert.last_at)
            return Decision(counted, (), waiting)
        return Decision(replace(alert, reason=waiting), (), waiting)
    no_data = alert.subject.condition is Condition.NO_DATA
    return _fire(rule, before, alert, confirmed, now, Reason.NO_DATA if no_data else Reason.CONFIRMED)


def _fire(rule: Rule, before: Alert, alert: Alert, level: Level, now: datetime, reason: Reason) -> Decision:
    """The alert opens at `level`, or opens again. `before` has not seen this check, `alert` has."""
    fired = replace(
        _mark(rule, alert, level=level, reason=reason),
        status=Status.FIRING,
        version=alert.version + 1,
        fired_at=now,
        below=(),
        value_at_firing=alert.value,
        last_post_at=now,
    )
    if before.status is not Status.RESOLVED:
        note = Note.NO_DATA if reason is Reason.NO_DATA else Note.OPENED
        return Decision(replace(fired, peak_level=level), (PostCard(), AddNote(note)), reason)
    again = replace(
        _again(fired, now),
        reopened=alert.reopened + 1,
        resolved_at=None,
        acked_by=None,
        acked_at=None,
        peak_level=max(level, alert.peak_level),
        fired_at=alert.fired_at,
        value_at_firing=alert.value_at_firing,
        reason=Reason.REOPENED,
    )
    notes = [AddNote(Note.REOPENED, broadcast=level >= Level.CRITICAL)]
    if not again.flapping and flapping.begins(again, now):
        again = replace(again, flapping=True)
        notes.append(AddNote(Note.FLAPPING))
    return Decision(again, (EditCard(), *notes), Reason.REOPENED)


def _while_open(
    rule: Rule, alert: Alert, check: Measured | Missed, level: Level | None, now: datetime
) -> Decision:
    """FIRING or ACKED: rise, fall, clear, or count a repeat."""
    confirmed = _confirmed_level(rule, alert)
    if confirmed is not None and confirmed > alert.level:
        return _rise(rule, alert, confirmed, now)
    held = _held_level(rule, alert, check, level)
    if held is not None and alert.floor is not None:
        held = max(held, alert.floor)
    if held is not None and held >= alert.level:
        if alert.below:
            alert = replace(alert, below=())
    else:
        alert = replace(alert, below=(*alert.below, 0 if held is None else int(held))[-rule.clear :])
    if alert.flapping:
        return _while_flapping(rule, alert, now)
    if flapping.begins(alert, now):
        begun = replace(alert, flapping=True, last_post_at=now, reason=Reason.FLAPPING)
        return Decision(begun, (EditCard(), AddNote(Note.FLAPPING)), Reason.FLAPPING)
    if not alert.below:
        return _repeat(rule, alert, now, bad=level is not None)
    remaining = _remaining(rule, alert)
    if remaining is None:
        no_data = alert.subject.condition is Condition.NO_DATA
        return _resolve(alert, now, Reason.MEASURED_AGAIN if no_data else Reason.CLEARED)
    if remaining < alert.level:
        return _fall(rule, alert, remaining, now)
    return Decision(replace(alert, reason=Reason.CLEARING), (), Reason.CLEARING)


def _remaining(rule: Rule, alert: Alert) -> Level | None:
    """The level that is left of an open alert after enough checks in a row below its own, None if it is
    over. One report is enough."""
    enough = 1 if alert.subject.condition in _REPORTED else rule.clear
    worst = max(alert.below) if len(alert.below) >= enough else alert.level
    return Level(worst) if worst else None


def _repeat(rule: Rule, alert: Alert, now: datetime, *, bad: bool) -> Decision:
    """As before: counted if it is bad, and the card edited when its window is over."""
    repeats = alert.repeats + bad
    if alert.last_post_at is not None and timedelta(0) <= now - alert.last_post_at < rule.repeat_window:
        return Decision(replace(alert, repeats=repeats, reason=Reason.DUPLICATE), (), Reason.DUPLICATE)
    edited = replace(alert, repeats=repeats, last_post_at=now, reason=Reason.STILL_FIRING)
    return Decision(edited, (EditCard(),), Reason.STILL_FIRING)


def _while_flapping(rule: Rule, alert: Alert, now: datetime) -> Decision:
    """Held open, without a word, until it has been calm; then its true state is told."""
    if flapping.ends(alert, now):
        return _flapping_over(rule, alert, now)
    held = replace(alert, repeats=alert.repeats + alert.last_bad, reason=Reason.FLAPPING)
    return Decision(held, (), Reason.FLAPPING)


def _flapping_over(rule: Rule, alert: Alert, now: datetime) -> Decision:
    reason = Reason.FLAPPING_OVER
    calm = replace(alert, flapping=False, last_post_at=now, reason=reason)
    remaining = _remaining(rule, alert)
    if remaining is None:
        return _resolve(calm, now, reason)
    told: tuple[Effect, ...] = (EditCard(), AddNote(Note.FLAPPING_OVER))
    if remaining < alert.level:
        calm = replace(_mark(rule, calm, remaining, reason), version=alert.version + 1, below=())
        told = (*told, AddNote(Note.LEVEL_DOWN, from_level=alert.level))
    return Decision(calm, told, reason)


def _rise(
    rule: Rule, alert: Alert, level: Level, now: datetime, reason: Reason = Reason.LEVEL_RISE
) -> Decision:
    """A rise in level voids the acknowledgement: who said "seen" has not seen this."""
    risen = replace(
        _mark(rule, alert, level=level, reason=reason),
        status=Status.FIRING,
        version=alert.version + 1,
        peak_level=max(level, alert.peak_level),
        acked_by=None,
        acked_at=None,
        ack_until=None,
        below=(),
        last_post_at=now,
        repeats=alert.repeats + 1,
    )
    note = AddNote(Note.LEVEL_UP, broadcast=level >= Level.CRITICAL, from_level=alert.level)
    return Decision(risen, (EditCard(), note), reason)


def _fall(rule: Rule, alert: Alert, level: Level, now: datetime) -> Decision:
    """A fall only edits: an acknowledgement stays."""
    fallen = replace(
        _mark(rule, alert, level=level, reason=Reason.LEVEL_FALL),
        version=alert.version + 1,
        below=(),
        last_post_at=now,
    )
    return Decision(fallen, (EditCard(), AddNote(Note.LEVEL_DOWN, from_level=alert.level)), Reason.LEVEL_FALL)


def _resolve(alert: Alert, now: datetime, reason: Reason) -> Decision:
    note = Note.MEASURED_AGAIN if reason is Reason.MEASURED_AGAIN else Note.RESOLVED
    resolved = ended(alert, now, reason)
    broadcast = alert.peak_level >= Level.CRITICAL
    return Decision(resolved, (EditCard(), AddNote(note, broadcast)), reason)


def unwatch(alert: Alert | None, now: datetime) -> Decision:
    """The end of an alert whose target is no longer there."""
    reason = Reason.NO_LONGER_WATCHED
    if alert is None or not alert.status.is_open:
        # A pending one is dropped, a resolved one is left as it is.
        kept = alert if alert is not None and alert.status is Status.RESOLVED else None
        return Decision(kept, (), reason)
    return _resolve(alert, now, reason)


def ended(alert: Alert, now: datetime, reason: Reason) -> Alert:
    """The alert, resolved."""
    return replace(
        alert,
        status=Status.RESOLVED,
        version=alert.version + 1,
        resolved_at=now,
        recent=(),
        below=(),
        last_post_at=now,
        ack_until=None,
        flapping=False,
        floor=None,
        floor_why=None,
        reason=reason,
    )


def _begin(rule: Rule, subject: Subject, at: datetime, level: Level) -> Alert:
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
        detected_at=at,
        last_at=at,
    )


def _see(rule: Rule, alert: Alert, check: Measured | Missed, level: Level | None) -> Alert:
    """The alert with this check's figures written in: no decision yet."""
    longest = max(rule.confirm, rule.confirm_critical, rule.confirm_emergency, rule.missed)
    recent = () if level is None else (*alert.recent, int(level))[-longest:]
    bad = level is not None
    flips = flapping.record(alert.flips, bad is not alert.last_bad)
    if isinstance(check, Missed):
        return replace(
            alert, recent=recent, last_at=check.at, problem=check.problem, flips=flips, last_bad=bad
        )
    no_data = alert.subject.condition is Condition.NO_DATA
    return replace(
        alert,
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


def _again(alert: Alert, now: datetime) -> Alert:
    """The alert, which has come back once more."""
    return replace(alert, reopenings=(*alert.reopenings, now)[-flapping.REOPENINGS :])


def _flipped(alert: Alert, *, bad: bool) -> Alert:
    """The alert with one more result in its slots."""
    return replace(alert, flips=flapping.record(alert.flips, bad is not alert.last_bad), last_bad=bad)


def _worse(rule: Rule, alert: Alert, value: float) -> float:
    """The worse of the peak so far and `value`."""
    if alert.peak is None or rule.bands is None:
        return value
    return max(alert.peak, value) if rule.bands.rising else min(alert.peak, value)


def _mark(rule: Rule, alert: Alert, level: Level, reason: Reason) -> Alert:
    """The alert at `level`, with that level's band and the reason. A level that is no band's, because
    something else raised it, leaves the band that the value is in."""
    bands = rule.bands if alert.subject.condition is Condition.THRESHOLD else None
    band = alert.band if bands is not None else None
    if bands is not None and level in bands.levels:
        band = bands.levels[level].text
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
