"""What follows a deployment that is over: after traffic went back nothing is deployed there for a while.
Somebody looks first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.domain.audit import GUARDIAN
from bot.domain.deploy.plan import DEPLOY, TRAFFIC_BACK, place_of
from bot.domain.deploy.rollback import ROLLBACK
from bot.domain.deploy.service import Environment
from bot.domain.operations.approval import State
from bot.domain.operations.locks import Lock
from bot.domain.operations.record import OperationRecord, StepState


def locks_after(
    over: OperationRecord, environment: Environment, at: datetime, reason: str
) -> tuple[Lock, ...]:
    """The locks of which the first that can be taken is: on its environment, or, where somebody else is at
    work or looks, on the service in it. None where nothing went back, or the environment wants none."""
    went_back = {DEPLOY: _deployment_went_back, ROLLBACK: _rollback_was_done}.get(over.plan.operation)
    if went_back is None or not went_back(over) or not environment.lock_after_rollback:
        return ()
    until = _told_until(over) or at + environment.lock_after_rollback
    place = place_of(str(over.plan.shown["service"]), environment.name)
    return tuple(Lock(each, 0, GUARDIAN, at, None, reason, until) for each in (environment.name, place))


def _told_until(over: OperationRecord) -> datetime | None:
    """What its card has promised already."""
    for step in reversed(over.steps):
        undone = step.result.get("undone")
        for told in (step.result, undone if isinstance(undone, Mapping) else {}):
            until = told.get("locked_until")
            if isinstance(until, str):
                return datetime.fromisoformat(until)
    return None


def lockable(environment: str, place: str, held: Iterable[Lock], run: int) -> str:
    """On which of the two such a lock will be, as things stand: what the run itself holds it lets go of."""
    return place if any(each.subject == environment and each.run != run for each in held) else environment


def _deployment_went_back(over: OperationRecord) -> bool:
    """Whether traffic was to be moved, and went back or should have."""
    moved = [over.step(at) for at, step in enumerate(over.plan.steps) if step.undo == TRAFFIC_BACK]
    return any(step is not None and step.state in (StepState.UNDONE, StepState.STUCK) for step in moved)


def _rollback_was_done(over: OperationRecord) -> bool:
    return over.state in (State.DONE, State.PARTIAL)
