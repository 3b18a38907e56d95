"""Reports that open alerts, very many at one moment.

In a storm thousands of reports differ in nothing but what they are about. What the alert machine makes of the
first of each kind it would make of all of them: it is asked once, and the answer is about the others too.
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.alerts.lifecycle import step
from bot.domain.alerts.model import AddNote, Decision, Effect, Note, Page, Reported, Rule, Subject
from bot.domain.alerts.surroundings import Route, Surroundings
from bot.domain.levels import Level

_Kind = tuple[int, int, str, Level, datetime]


class Openings:
    """What becomes of new reports at one moment; equal to `step` for each of them."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._known: dict[_Kind, Decision] = {}
        self._kept: list[tuple[Rule, Route]] = []
        """so that nobody else gets their identity while it counts"""

    def decide(
        self, rule: Rule, subject: Subject, event: Reported, around: Surroundings, number: int
    ) -> Decision:
        """What `event` makes of a subject of which nothing is known: an alert gets that number."""
        if not event.firing or around.cover(event.level, self._now) is not None:
            return step(rule, subject, None, event, self._now, around).about(number)
        route = around.route(event.level)
        kind = (id(rule), id(route), subject.condition, event.level, event.at)
        known = self._known.get(kind)
        if known is None or known.alert is None:
            decision = step(rule, subject, None, event, self._now, around)
            if not any(_asks_who_is_there(effect) for effect in decision.effects):
                self._known[kind] = decision
                self._kept.append((rule, route))
            return decision.about(number)
        alert = known.alert._replace(
            id=number, subject=subject, title=event.title, facts=event.facts, labels=around.labels
        )
        return Decision(alert, known.effects, known.reason)


def _asks_who_is_there(effect: Effect) -> bool:
    """Whether it comes from a step of the ladder, which others may reach."""
    return isinstance(effect, Page) or (isinstance(effect, AddNote) and effect.note is Note.EMPTY_STEP)
