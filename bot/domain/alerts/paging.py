"""Who is called for an alert, and when: the ladder applied to it, and the end of an acknowledgement."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alerts import flapping
from bot.domain.alerts.ladder import (
    Ladder,
    Progress,
    Recipient,
    TargetKind,
    advance,
    paged_tiers,
    resume,
    start,
    tiers_due,
    without,
)
from bot.domain.alerts.model import AddNote, Alert, Effect, Note, Page, Status
from bot.domain.alerts.surroundings import Surroundings


def deadline_of(alert: Alert) -> datetime | None:
    """When something of this alert is due next: a page, the end of an acknowledgement, of a cover or of
    flapping; None while nothing is. Under a cover nobody is called, so that an acknowledgement may run out
    there unnoticed."""
    if not alert.status.is_open:
        return None
    due = alert.progress.next_at if alert.progress is not None else None
    for other in (alert.ack_until if alert.cover is None else alert.cover.until, flapping.ends_at(alert)):
        if other is not None and (due is None or other < due):
            due = other
    return due


def ladder_of(alert: Alert) -> Ladder:
    """The ladder of the alert's level in the policy that it opened with."""
    return Ladder() if alert.policy is None else alert.policy.ladder(alert.level)


def begun(alert: Alert, now: datetime) -> Alert:
    """The alert with its ladder begun anew: it opened, rose, came back, or was left alone too long."""
    ladder = ladder_of(alert)
    epoch = alert.epoch + 1
    return alert._replace(progress=start(ladder, epoch, now) if ladder.rungs else None, epoch=epoch)


def lowered(before: Alert, alert: Alert, now: datetime) -> Alert:
    """The alert after a fall in level: the milder ladder goes on as if it had begun with the alert's, without
    those who have been paged already; a fall pages nobody."""
    if alert.progress is None:
        return alert
    known = paged_tiers(ladder_of(before), alert.progress)
    ladder, epoch = ladder_of(alert), alert.epoch + 1
    following = without(ladder, resume(ladder, epoch, alert.progress.began_at, now), known)
    return alert._replace(progress=following, epoch=epoch)


def paged(alert: Alert, now: datetime, around: Surroundings) -> tuple[Alert, tuple[Effect, ...]]:
    """The alert after what its ladder has due: at most one page. A step that reaches nobody says so, and the
    next one comes at once, until every step has been tried: then the next round comes in its time."""
    effects: list[Effect] = []
    policy, progress = alert.policy, alert.progress
    if policy is None or alert.status is not Status.FIRING or alert.cover is not None:
        return alert, ()
    if progress is None or progress.next_at is None or progress.next_at > now:
        return alert, ()
    ladder = ladder_of(alert)
    for untried in reversed(range(len(ladder.rungs))):
        if progress is None or progress.next_at is None or progress.next_at > now:
            break
        meant = policy.targets(tiers_due(ladder, progress))
        recipients = around.reach(meant, now)
        if recipients:
            effects.append(Page(recipients, progress.epoch, progress.round, progress.step))
            return alert._replace(progress=advance(ladder, progress, now), pages=alert.pages + 1), tuple(
                effects
            )
        effects.append(AddNote(Note.EMPTY_STEP, step=progress.step, round=progress.round, meant=meant))
        progress = advance(ladder, progress, now, at_once=untried > 0)
    return alert._replace(progress=progress), tuple(effects)


def expired(alert: Alert, now: datetime, around: Surroundings) -> tuple[Alert, tuple[Effect, ...]]:
    """The alert whose acknowledgement has run out: whoever acknowledged and whoever is on call now are paged,
    and the ladder begins anew behind that page."""
    again = begun(
        alert._replace(
            status=Status.FIRING,
            version=alert.version + 1,
            acked_by=None,
            acked_at=None,
            ack_until=None,
            last_post_at=now,
        ),
        now,
    )
    ladder, progress = ladder_of(again), again.progress
    tiers: tuple[int, ...] = (1,)
    if progress is not None and progress.next_at is not None and progress.next_at <= now:
        # This page is the step that would come at once.
        tiers = tiers_due(ladder, progress)
        again = again._replace(progress=advance(ladder, progress, now))
    on_call = () if alert.policy is None else around.reach(alert.policy.targets(tiers), now)
    known = () if alert.acked_by is None else (Recipient(TargetKind.PERSON, alert.acked_by),)
    recipients = tuple(dict.fromkeys((*known, *on_call)))
    if not recipients:
        return again, ()
    page = Page(recipients, again.epoch, 0, 0, expired=True)
    return again._replace(pages=again.pages + 1), (page,)


def next_page(alert: Alert, around: Surroundings) -> tuple[datetime, tuple[Recipient, ...]] | None:
    """When the next page is due, and who would get it as things are now; None when none is."""
    progress: Progress | None = alert.progress
    if progress is None or progress.next_at is None or alert.policy is None:
        return None
    targets = alert.policy.targets(tiers_due(ladder_of(alert), progress))
    return progress.next_at, around.reach(targets, progress.next_at)


def shifted(alert: Alert, by: timedelta) -> Alert:
    """The alert with its deadlines moved, because the clock was: what was due in five minutes still is, and
    its last word is as old as it was. The ends of silences and windows are moments that people named, and
    stay."""
    if not by or not alert.status.is_open:
        return alert
    progress = alert.progress
    if progress is not None:
        due = progress.next_at + by if progress.next_at is not None else None
        progress = replace(progress, began_at=progress.began_at + by, next_at=due)
    until = alert.ack_until + by if alert.ack_until is not None else None
    reopenings = tuple(moment + by for moment in alert.reopenings)
    return alert._replace(
        progress=progress, ack_until=until, reopenings=reopenings, last_at=alert.last_at + by
    )
