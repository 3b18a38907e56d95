"""Locks: one run at a time on a subject, and people who keep others off it.

A run's lock belongs to the run and not to who asked for it, and has a token that only ever grows: a step that
comes late, with an older token, can be told from the one that holds the lock now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from bot.domain.operations.roles import Role, Roles

DEFAULT_LENGTH = timedelta(hours=1)
LONGEST = timedelta(days=30)
PREEMPTIVE = frozenset({"rollback"})
"""Operations that no person's lock keeps waiting (design, Locks and queue): it ends with their start."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a subject: a run's (`run` is its number, and it has no end), or a person's."""

    subject: str
    token: int
    by: str
    since: datetime
    run: int | None = None
    reason: str = ""
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it still holds at that moment."""
        return self.until is None or now < self.until


def in_the_way(locks: Iterable[Lock], subjects: Collection[str], now: datetime) -> Lock | None:
    """The lock that keeps a run off one of those subjects; None if there is none."""
    return next((lock for lock in locks if lock.subject in subjects and lock.holds(now)), None)


def locked_values(lock: Lock | None) -> dict[str, JsonValue] | None:
    """Who has locked something, until when and why, for a plan's card; None where nobody has."""
    if lock is None:
        return None
    until = None if lock.until is None else lock.until.isoformat()
    return {"subject": lock.subject, "by": lock.by, "until": until, "reason": lock.reason}


def may_lift(lock: Lock, by: str, roles: Roles) -> bool:
    """Whether that person may lift it: their own, or as an approver anybody's; a run's lock nobody's, because
    it goes with the run."""
    return lock.run is None and (lock.by == by or roles.may(by, Role.APPROVER))
