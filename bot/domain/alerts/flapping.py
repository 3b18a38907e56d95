"""Flapping: good and bad by turns (alerts.md, Flapping).

Twenty slots say whether a result differed from the one before. The newest weighs 1.18, the oldest 0.80, so
that what happens now counts more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.alerts.model import Alert

SLOTS = 20
WEIGHTS = tuple(1.18 - 0.02 * age for age in range(SLOTS))
"""By age: the newest first."""
ON_ABOVE = 30.0
OFF_AT = 25.0
"""Percent of the weights that changed."""
REOPENINGS = 3
REOPENED_WITHIN = timedelta(minutes=30)
_MASK = (1 << SLOTS) - 1


def record(flips: int, changed: bool) -> int:
    """The slots after one more result."""
    return (flips << 1 | changed) & _MASK


def percent(flips: int) -> float:
    """How much of the last results was change, from 0 to 100."""
    changed = sum(weight for age, weight in enumerate(WEIGHTS) if flips >> age & 1)
    return 100 * changed / sum(WEIGHTS)


def reopened_often(alert: Alert, now: datetime) -> bool:
    """Whether it came back three times within half an hour."""
    recent = [moment for moment in alert.reopenings if now - moment < REOPENED_WITHIN]
    return len(recent) >= REOPENINGS


def begins(alert: Alert, now: datetime) -> bool:
    """Whether an alert that does not flap does now. A failed run is no state that comes and goes."""
    often = percent(alert.flips) > ON_ABOVE or reopened_often(alert, now)
    return often and alert.subject.condition.is_state


def ends(alert: Alert, now: datetime) -> bool:
    """Whether an alert that flaps does no more."""
    return percent(alert.flips) <= OFF_AT and not reopened_often(alert, now)


def ends_at(alert: Alert) -> datetime | None:
    """When the reopenings would no longer hold it; None if something else does."""
    if not alert.flapping or len(alert.reopenings) < REOPENINGS or percent(alert.flips) > OFF_AT:
        return None
    return alert.reopenings[-REOPENINGS] + REOPENED_WITHIN
