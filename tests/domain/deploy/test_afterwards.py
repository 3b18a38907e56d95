"""The lock after traffic went back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.audit import GUARDIAN
from bot.domain.deploy.afterwards import lock_after
from bot.domain.deploy.plan import deploy_plan
from bot.domain.deploy.rollback import RollbackFacts, rollback_plan
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import State
from bot.domain.operations.locks import Lock
from bot.domain.operations.plan import Plan
from bot.domain.operations.record import OperationRecord, StepRecord, StepState
from tests.domain.deploy.places import FACTS, PRODUCTION
from tests.factories import T0

DEPLOYMENT = deploy_plan(FACTS, T0)
ROLLBACK = rollback_plan(RollbackFacts("shop", PRODUCTION, "v1", Slot.A, False, "v2"), T0)
LOCK = Lock("production", 0, GUARDIAN, T0, None, "a look", T0 + timedelta(hours=1))


def over(plan: Plan, state: State, **became: StepState) -> OperationRecord:
    """A run that ended so, with what became of its steps by name."""
    steps = tuple(
        StepRecord(at, became[step.name], T0) for at, step in enumerate(plan.steps) if step.name in became
    )
    return OperationRecord(
        id=7, plan=plan, plan_hash=plan.hash, request={}, state=state, channel="ops", asked_by="U0ANN",
        asked_at=T0, expires_at=T0, steps=steps,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("run", "lock"),
    [
        (over(DEPLOYMENT, State.UNDONE, green=StepState.UNDONE, shift=StepState.UNDONE), LOCK),
        (over(DEPLOYMENT, State.FAILED, green=StepState.STUCK, shift=StepState.STUCK), LOCK),
        (over(DEPLOYMENT, State.UNDONE, green=StepState.UNDONE), None),  # no traffic was ever moved
        (over(DEPLOYMENT, State.DONE, green=StepState.DONE, shift=StepState.DONE), None),
        (over(ROLLBACK, State.DONE, traffic=StepState.DONE), LOCK),
        (over(ROLLBACK, State.PARTIAL, traffic=StepState.DONE, drain=StepState.FAILED), LOCK),
        (over(replace(ROLLBACK, operation="cleanup"), State.DONE), None),
    ],
)
def test_an_environment_is_locked_after_traffic_went_back_and_only_then(
    run: OperationRecord, lock: Lock | None
) -> None:
    assert lock_after(run, PRODUCTION, T0, "a look") == lock


def test_an_environment_may_want_none() -> None:
    environment = replace(PRODUCTION, lock_after_rollback=timedelta(0))
    assert lock_after(over(ROLLBACK, State.DONE), environment, T0, "a look") is None
