"""An alert that is held open while it flaps, until it has been calm: then its true state is told."""

from __future__ import annotations

from datetime import datetime

from bot.domain.alerts import flapping
from bot.domain.alerts.model import AddNote, Alert, Decision, EditCard, Effect, Note, Rule
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.transitions import marked, resolve
from bot.domain.levels import Level


def while_flapping(rule: Rule, alert: Alert, now: datetime) -> Decision:
    """Held open, without a word, until it has been calm; then its true state is told."""
    if flapping.ends(alert, now):
        return flapping_over(rule, alert, now)
    held = alert._replace(repeats=alert.repeats + alert.last_bad, reason=Reason.FLAPPING)
    return Decision(held, (), Reason.FLAPPING)


def flapping_over(rule: Rule, alert: Alert, now: datetime) -> Decision:
    """It has calmed down: its true state is told."""
    reason = Reason.FLAPPING_OVER
    calm = alert._replace(flapping=False, last_post_at=now, reason=reason)
    remaining = remaining_level(rule, alert)
    if remaining is None:
        return resolve(calm, now, reason)
    told: tuple[Effect, ...] = (EditCard(), AddNote(Note.FLAPPING_OVER))
    if remaining < alert.level:
        calm = marked(rule, calm, remaining, reason)._replace(version=alert.version + 1, below=())
        told = (*told, AddNote(Note.LEVEL_DOWN, from_level=alert.level))
    return Decision(calm, told, reason)


def remaining_level(rule: Rule, alert: Alert) -> Level | None:
    """The level that is left of an open alert after enough checks in a row below its own, None if it is
    over. One report is enough."""
    enough = 1 if alert.subject.condition.is_others else rule.clear
    worst = max(alert.below) if len(alert.below) >= enough else alert.level
    return Level(worst) if worst else None
