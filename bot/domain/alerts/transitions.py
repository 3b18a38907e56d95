"""From one state of an alert to another: it begins, fires, rises, falls, goes on, ends.

Pure parts of the alert machine; what decides that it comes to that is in `judging` and `reporting`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.alerts import flapping
from bot.domain.alerts.model import (
    AddNote,
    Alert,
    Condition,
    Decision,
    EditCard,
    Note,
    PostCard,
    Rule,
    Status,
    Subject,
)
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level


def is_history(rule: Rule, alert: Alert | None, now: datetime) -> bool:
    """Whether `alert` is over for too long to be reopened."""
    # A confirmation that began in time may end after it.
    if alert is None or alert.status is not Status.RESOLVED or alert.recent:
        return False
    return now - (alert.resolved_at or alert.last_at) > rule.reopen_within


def begin(rule: Rule, subject: Subject, at: datetime, level: Level) -> Alert:
    """A new alert, PENDING, whose first bad check was at that moment."""
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


def fire(rule: Rule, before: Alert, alert: Alert, level: Level, now: datetime, reason: Reason) -> Decision:
    """The alert opens at `level`, or opens again. `before` has not seen this check, `alert` has."""
    fired = marked(rule, alert, level=level, reason=reason)._replace(
        status=Status.FIRING,
        version=alert.version + 1,
        fired_at=now,
        below=(),
        value_at_firing=alert.value,
        last_post_at=now,
    )
    if before.status is not Status.RESOLVED:
        note = Note.NO_DATA if reason is Reason.NO_DATA else Note.OPENED
        return Decision(fired._replace(peak_level=level), (PostCard(), AddNote(note)), reason)
    again = reopened_once_more(fired, now)._replace(
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
        again = again._replace(flapping=True)
        notes.append(AddNote(Note.FLAPPING))
    return Decision(again, (EditCard(), *notes), Reason.REOPENED)


def rise(
    rule: Rule, alert: Alert, level: Level, now: datetime, reason: Reason = Reason.LEVEL_RISE
) -> Decision:
    """A rise in level voids the acknowledgement: who said "seen" has not seen this."""
    risen = marked(rule, alert, level=level, reason=reason)._replace(
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


def fall(rule: Rule, alert: Alert, level: Level, now: datetime) -> Decision:
    """A fall only edits: an acknowledgement stays."""
    fallen = marked(rule, alert, level=level, reason=Reason.LEVEL_FALL)._replace(
        version=alert.version + 1,
        below=(),
        last_post_at=now,
    )
    return Decision(fallen, (EditCard(), AddNote(Note.LEVEL_DOWN, from_level=alert.level)), Reason.LEVEL_FALL)


def resolve(alert: Alert, now: datetime, reason: Reason) -> Decision:
    """The end: drawn at once, and told in the thread; from critical on in the channel too."""
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
    return resolve(alert, now, reason)


def ended(alert: Alert, now: datetime, reason: Reason) -> Alert:
    """The alert, resolved."""
    return alert._replace(
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


def repeat(rule: Rule, alert: Alert, now: datetime, *, bad: bool) -> Decision:
    """As before: counted if it is bad, and the card edited when its window is over."""
    repeats = alert.repeats + bad
    if alert.last_post_at is not None and timedelta(0) <= now - alert.last_post_at < rule.repeat_window:
        return Decision(alert._replace(repeats=repeats, reason=Reason.DUPLICATE), (), Reason.DUPLICATE)
    edited = alert._replace(repeats=repeats, last_post_at=now, reason=Reason.STILL_FIRING)
    return Decision(edited, (EditCard(),), Reason.STILL_FIRING)


def reopened_once_more(alert: Alert, now: datetime) -> Alert:
    """The alert, which has come back once more."""
    return alert._replace(reopenings=(*alert.reopenings, now)[-flapping.REOPENINGS :])


def marked(rule: Rule, alert: Alert, level: Level, reason: Reason) -> Alert:
    """The alert at `level`, with that level's band and the reason. A level that is no band's, because
    something else raised it, leaves the band that the value is in."""
    bands = rule.bands if alert.subject.condition is Condition.THRESHOLD else None
    band = alert.band if bands is not None else None
    if bands is not None and level in bands.levels:
        band = bands.levels[level].text
    return alert._replace(level=level, band=band, reason=reason)
