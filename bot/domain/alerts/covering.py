"""What becomes of a decision because of what lies over the alert, and which ladder follows from it.

The truth goes on underneath a cover: status, level and counts change as ever, and only what people are told
is held back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.alerts.model import (
    AddNote,
    Alert,
    Decision,
    EditCard,
    Effect,
    Note,
    PostCard,
    Status,
)
from bot.domain.alerts.paging import begun, expired, lowered, paged
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.surroundings import Surroundings
from bot.domain.levels import Level

_ANSWERS = (Reason.ACK_STALE, Reason.ACK_ALREADY, Reason.STILL_BAD)
"""What somebody who clicked is told; that a page went out at the same moment is not their answer."""


def settled(
    before: Alert | None, after: Alert, decision: Decision, now: datetime, around: Surroundings
) -> Decision:
    """The decision with covers and ladder applied. `after` is its alert, which is open or was `before`."""
    was_open = before is not None and before.status.is_open
    if not after.status.is_open:
        return _over(decision, after)
    if not was_open:
        after = _opened(before, after, around)
        decision = _with_card(decision, after)
    rose = before is not None and was_open and after.level > before.level
    cover = _cover(after, now, around)
    broke = _breaks(before, after, cover, rose=rose)
    if broke is not None:
        after = after._replace(cover=broke, broken=(*after.broken, broke.ref))
        cover = _cover(after, now, around)  # something else may lie over it as well
    changed = decision if after is decision.alert else decision._replace(alert=after)
    if cover is not None:
        return _covered(changed, after, cover, was_open=was_open)
    if after.cover is not None:
        free = after._replace(cover=None)
        changed = _uncovered(changed, free, broke=broke is not None)
        return _called(changed, free, now, around, anew=True)
    if before is not None and was_open and after.level < before.level:
        after = lowered(before, after, now)
    return _called(changed, after, now, around, anew=not was_open or rose)


def _opened(before: Alert | None, after: Alert, around: Surroundings) -> Alert:
    """The alert with what is copied into it when it opens, so that it stays as it is for its whole life."""
    if before is not None and _came_back(before, after) and after.policy is not None:
        return after._replace(progress=None, ack_until=None)
    route = around.route(after.level)
    labels = around.labels
    return after._replace(
        labels=labels, channel=after.channel or route.channel, route=route.name, policy=route.policy
    )


def _with_card(decision: Decision, opened: Alert) -> Decision:
    """The decision with a new card for what comes back and never had one: it was covered the first time."""
    if opened.carded or decision.posts:
        return decision
    notes = (effect for effect in decision.effects if not isinstance(effect, EditCard))
    return decision._replace(effects=(PostCard(), *notes))


def _cover(alert: Alert, now: datetime, around: Surroundings) -> Cover | None:
    """What lies over the alert now: no silence that it has broken before, and nothing that is at its end."""
    cover = around.cover(alert.level, now, alert.broken)
    if cover is None or (cover.until is not None and cover.until <= now):
        return None
    level = alert.cover.level if cover.same_as(alert.cover) and alert.cover is not None else alert.level
    return replace(cover, level=level)


def _breaks(before: Alert | None, after: Alert, cover: Cover | None, *, rose: bool) -> Cover | None:
    """The silence that a rise in level goes through: above the level that was silenced, or above all that was
    ever seen of an alert that comes back."""
    lies = after.cover if cover is None else cover
    if before is None or lies is None or lies.kind is not CoverKind.SILENCE:
        return None
    if rose and lies.same_as(after.cover) and (cover is None or after.level > cover.level):
        return lies
    return lies if _came_back(before, after) and after.level > before.peak_level else None


def _came_back(before: Alert, after: Alert) -> bool:
    return before.status is Status.RESOLVED and after.reopened > before.reopened


def _over(decision: Decision, after: Alert) -> Decision:
    """It has ended: who was never told of it is not told of its end."""
    quiet = after.cover is not None
    effects = _held_back(decision.effects) if quiet else decision.effects
    if not after.carded:
        effects = ()
    return decision._replace(alert=after._replace(progress=None, cover=None), effects=effects)


def _covered(decision: Decision, after: Alert, cover: Cover, *, was_open: bool) -> Decision:
    already = cover.same_as(after.cover)
    lying = after._replace(cover=cover, progress=None)
    if not after.carded:
        return decision._replace(alert=lying, effects=(), reason=_why(decision, already))
    effects = _held_back(decision.effects)
    if was_open and not already:
        drawn = (EditCard(), *(effect for effect in effects if not isinstance(effect, EditCard)))
        effects = (*drawn, AddNote(Note.COVERED))
    return decision._replace(alert=lying, effects=effects, reason=_why(decision, already))


def _why(decision: Decision, already: bool) -> Reason:
    return decision.reason if already else Reason.COVERED


def _held_back(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """What a covered alert that has a card still shows there: edits, and notes that nobody else sees."""
    kept: list[Effect] = []
    for effect in effects:
        match effect:
            case EditCard():
                kept.append(effect)
            case AddNote():
                kept.append(replace(effect, broadcast=False))
            case _:
                pass
    return tuple(kept)


def _uncovered(decision: Decision, free: Alert, *, broke: bool) -> Decision:
    """Nothing lies over it any more, and it still fails: one post says so."""
    note = Note.SILENCE_BROKEN if broke else Note.UNCOVERED
    reason = Reason.SILENCE_BROKEN if broke else Reason.UNCOVERED
    loud = free.level >= Level.CRITICAL
    if not free.carded:
        return Decision(free, (PostCard(), AddNote(note)), reason)
    # Once in the channel is enough: what else there is to say stays in the thread.
    rest = (effect for effect in _held_back(decision.effects) if not isinstance(effect, EditCard))
    return Decision(free, (EditCard(), AddNote(note, broadcast=loud), *rest), reason)


def _called(decision: Decision, alert: Alert, now: datetime, around: Surroundings, *, anew: bool) -> Decision:
    """The decision with whoever has to be called because of it, or because time is up."""
    effects = decision.effects
    if decision.posts:
        alert = alert._replace(carded=True)
    if alert.status is Status.ACKED:
        if alert.ack_until is None or alert.ack_until > now:
            return decision._replace(alert=alert)
        note = AddNote(Note.ACK_EXPIRED, actor=alert.acked_by)
        alert, pages = expired(alert, now, around)
        drawn, *rest = effects or (EditCard(),)
        return Decision(
            alert._replace(reason=Reason.ACK_EXPIRED), (drawn, note, *rest, *pages), Reason.ACK_EXPIRED
        )
    if anew:
        alert = begun(alert, now)
    alert, pages = paged(alert, now, around)
    reason = decision.reason
    if pages and not effects:
        # The card says who is called next.
        effects = (EditCard(),)
        if reason not in _ANSWERS:
            empty = all(isinstance(page, AddNote) for page in pages)
            reason = Reason.STEP_EMPTY if empty else Reason.PAGED
    return Decision(alert, (*effects, *pages), reason)
