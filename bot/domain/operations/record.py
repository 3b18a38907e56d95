"""What is known of an operation: what was asked for, who decided, and how far each step is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from bot.domain.operations.approval import Pending, State
from bot.domain.operations.plan import JsonObject, Plan

STUCK = "stuck"
"""the value of a problem that says why what has failed could not be taken back: kind, reason, values"""


class StepState(StrEnum):
    """How far a step is. What it is called is in `terms.step_state`."""

    DOING = "doing"
    DONE = "done"
    FAILED = "failed"
    """and not undone yet, or there was nothing to undo"""
    STOPPED = "stopped"
    UNDOING = "undoing"
    UNDONE = "undone"
    STUCK = "stuck"
    """it could not be undone: somebody has to look"""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is not as hoped: the phrase `operations.KIND.REASON` with `values`. `kind` is `refused`,
    `failed` or `changed`."""

    kind: str
    reason: str
    values: JsonObject = field(default_factory=dict)

    def as_json(self) -> dict[str, JsonValue]:
        """As it is kept."""
        return {"kind": self.kind, "reason": self.reason, "values": dict(self.values)}


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What became of one step of the plan, by its index."""

    number: int
    state: StepState
    began_at: datetime
    ended_at: datetime | None = None
    result: JsonObject = field(default_factory=dict)
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """An operation as the database has it."""

    id: int
    plan: Plan
    plan_hash: str
    request: JsonObject
    state: State
    channel: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""
    """given with a denial, or with breaking the glass"""
    glass: bool = False
    """whether it was approved by breaking the glass"""
    stopped_by: str | None = None
    held_by: str | None = None
    """who wants it to stay where it is, until somebody says 계속"""
    token: int | None = None
    """of its lock; None before it has started"""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    problem: Problem | None = None
    steps: tuple[StepRecord, ...] = ()

    @property
    def pending(self) -> Pending:
        """What a click on it is judged by."""
        stopped = self.stopped_by is not None
        held = self.held_by is not None
        return Pending(self.state, self.plan_hash, self.asked_by, self.expires_at, stopped, held)

    def step(self, number: int) -> StepRecord | None:
        """What became of that step; None while it has not begun."""
        return next((step for step in self.steps if step.number == number), None)
