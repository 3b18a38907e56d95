"""The life of an operation from the question to its end, and what a click on its card does.

    pending ──승인──▶ queued ──▶ running ──▶ done, partial
       │                 │          ├──▶ stopped
       │                 │          └──▶ undoing ──▶ undone, failed, partial, stopped
       └▶ denied,        └▶ cancelled, changed, refused
          cancelled,
          expired, superseded

Each arrow is one conditional UPDATE: of clicks that race, one wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.audit import GUARDIAN
from bot.domain.operations.roles import Role, Roles

LIVES = timedelta(minutes=15)
"""How long a plan can be approved (design, Confirmation and approval)."""
REASON_LIMIT = 300
"""Characters of a reason."""


class State(StrEnum):
    """Where an operation is. What it is called is in `terms.operation_state`."""

    PENDING = "pending"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    QUEUED = "queued"
    """approved; it waits for its turn, or is about to start"""
    CHANGED = "changed"
    """approved, but its plan was another one when it should have started"""
    REFUSED = "refused"
    """approved, but when it should have started it must not: a role, a backup, a freeze"""
    RUNNING = "running"
    UNDOING = "undoing"
    """a step failed or somebody pressed 중단, and what was done is taken back, all of it"""
    DONE = "done"
    PARTIAL = "partial"
    """done, but for some steps that failed and were undone"""
    STOPPED = "stopped"
    """somebody pressed 중단: what was done by then stays, and the step under way is undone if it can be"""
    UNDONE = "undone"
    """stopped or failed, and everything undone"""
    FAILED = "failed"
    """failed, and something could not be undone: somebody has to look"""


OPEN = frozenset({State.PENDING, State.QUEUED, State.RUNNING, State.UNDOING})
"""What is not over."""
UNDER_WAY = frozenset({State.RUNNING, State.UNDOING})

ARROWS: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.QUEUED, State.DENIED, State.CANCELLED, State.EXPIRED, State.SUPERSEDED}),
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED, State.CHANGED, State.REFUSED}),
    State.RUNNING: frozenset(
        {State.UNDOING, State.DONE, State.PARTIAL, State.STOPPED, State.FAILED, State.UNDONE}
    ),
    State.UNDOING: frozenset({State.UNDONE, State.FAILED, State.PARTIAL, State.STOPPED}),
}
"""From where one can get to where; from all others nowhere."""


class Click(StrEnum):
    """What people press on a card, or type."""

    APPROVE = "approve"
    DENY = "deny"
    CANCEL = "cancel"
    BREAK_GLASS = "break_glass"
    STOP = "stop"
    """중단, and 롤백 of a deployment: what was done is undone"""
    HOLD = "hold"
    """중단 of a deployment: it stays where it is"""
    GO = "go"
    """계속"""


class Verdict(StrEnum):
    """What becomes of a click. What is said is `operations.click.VERDICT`."""

    TAKEN = "taken"
    UNWRITTEN = "unwritten"
    """taken, though the database is away: the step that is under way stops, and that is written later"""
    STALE = "stale"
    """it is no longer where the card showed it, or the card showed another plan"""
    EXPIRED = "expired"
    NOT_ALLOWED = "not_allowed"
    """the answer says who could"""
    SECOND_PERSON = "second_person"
    """who asked may not approve"""
    NO_REASON = "no_reason"
    """breaking the glass needs a reason"""


@dataclass(frozen=True, slots=True)
class Needs:
    """What an operation asks of people."""

    ask: Role = Role.OPERATOR
    approve: Role = Role.APPROVER
    stop: Role | None = Role.APPROVER
    """beside who asked; None where it is not stopped half-way"""
    second_person: bool = False
    lives: timedelta = LIVES


@dataclass(frozen=True, slots=True)
class Pending:
    """What a click is judged by."""

    state: State
    plan_hash: str
    asked_by: str
    expires_at: datetime
    stopped: bool = False
    """whether somebody has pressed 중단"""
    held: bool = False
    """whether somebody wants it to stay where it is"""


def judge(
    click: Click, by: str, shown_hash: str, pending: Pending, needs: Needs, roles: Roles, now: datetime,
    reason: str = "",
) -> Verdict:  # fmt: skip
    """What becomes of a click. `shown_hash`: of the plan on the card that was clicked. What the Guardian asks
    for the configuration has scheduled: nobody need be asked a second time."""
    if click is Click.STOP:
        if pending.state is not State.RUNNING or pending.stopped or needs.stop is None:
            return Verdict.STALE
        allowed = roles.may(by, needs.stop) or (by == pending.asked_by and roles.may(by, needs.ask))
        return Verdict.TAKEN if allowed else Verdict.NOT_ALLOWED
    if click in (Click.HOLD, Click.GO):
        if pending.state is not State.RUNNING or pending.stopped or (click is Click.HOLD and pending.held):
            return Verdict.STALE
        # Whoever lets it go on answers for that as whoever approves does; to hold it is the careful thing.
        needed = needs.approve if click is Click.GO else needs.ask
        return Verdict.TAKEN if roles.may(by, needed) else Verdict.NOT_ALLOWED
    if click is Click.CANCEL and pending.state in (State.PENDING, State.QUEUED):
        allowed = by == pending.asked_by or roles.may(by, Role.APPROVER)
        return Verdict.TAKEN if allowed else Verdict.NOT_ALLOWED
    if pending.state is State.EXPIRED or (pending.state is State.PENDING and now >= pending.expires_at):
        return Verdict.EXPIRED
    if pending.state is not State.PENDING or shown_hash != pending.plan_hash:
        return Verdict.STALE
    match click:
        case Click.DENY:
            return Verdict.TAKEN if roles.may(by, needs.approve) else Verdict.NOT_ALLOWED
        case Click.BREAK_GLASS:
            if not roles.may(by, needs.ask):
                return Verdict.NOT_ALLOWED
            return Verdict.TAKEN if reason.strip() else Verdict.NO_REASON
        case _:
            if not roles.may(by, needs.approve):
                return Verdict.NOT_ALLOWED
            if needs.second_person and by == pending.asked_by and by != GUARDIAN:
                return Verdict.SECOND_PERSON
            return Verdict.TAKEN
