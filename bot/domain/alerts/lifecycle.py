"""The alert machine: what an event makes of an alert.

    OK → PENDING → FIRING → ACKED → RESOLVED, and back to FIRING when it comes again soon.

Pure: no clock, no I/O. A check, a click and a deadline walk the same machine, and every decision has its
reason. Three steps, one after the other: what the event means for the alert (`judging`, `people`), what may
lie over it (`covering`), and who is called (`paging`).
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.alerts import failed_runs, judging, people, reporting, transitions
from bot.domain.alerts.covering import settled
from bot.domain.alerts.model import (
    Acknowledged,
    Active,
    Alert,
    Condition,
    Decision,
    Due,
    Event,
    Measured,
    Missed,
    Raised,
    Reported,
    ResolvedByHand,
    Rule,
    Subject,
    Unwatched,
)
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.surroundings import NOWHERE, Surroundings


def step(
    rule: Rule,
    subject: Subject,
    alert: Alert | None,
    event: Event,
    now: datetime,
    around: Surroundings = NOWHERE,
) -> Decision:
    """Decide what `event` makes of `alert` (None: nothing is known about `subject` yet).

    A new alert has id 0 and version 0 until the store gives it an id. An alert that is resolved for
    longer than the reopening time is history: a bad check then starts a new one.
    """
    match event:
        case Measured():
            decision = judging.check(rule, subject, alert, event, now)
        case Missed() if subject.condition is Condition.THRESHOLD:
            return Decision(alert, (), Reason.NO_DATA_HELD)
        case Missed():
            decision = judging.check(rule, subject, alert, event, now)
        case Reported() if subject.condition is Condition.FAILED_RUN:
            decision = failed_runs.ended(rule, subject, alert, event, now)
        case Reported():
            decision = reporting.report(rule, subject, alert, event, now)
        case Acknowledged():
            decision = people.acknowledge(alert, event, now)
        case ResolvedByHand():
            decision = people.resolve(rule, alert, event, now)
        case Active():
            return people.active(alert, event, now)
        case Raised():
            decision = judging.raise_to(rule, alert, event, now)
        case Unwatched():
            decision = transitions.unwatch(alert, now)
        case Due():
            decision = judging.look(rule, alert, now)
    after = decision.alert
    if after is None or not (after.status.is_open or (alert is not None and alert.status.is_open)):
        return decision  # nobody has been told of it, and nobody is going to be
    return settled(alert, after, decision, now, around)
