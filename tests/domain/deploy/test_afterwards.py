"""The lock after traffic went back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import JsonValue

from bot.domain.audit import GUARDIAN
from bot.domain.deploy.afterwards import lockable, locks_after
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
LOCKS = tuple(
    Lock(subject, 0, GUARDIAN, T0, None, "a look", T0 + timedelta(hours=1))
    for subject in ("production", "production/shop")
)


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
    ("run", "locks"),
    [
        (over(DEPLOYMENT, State.UNDONE, green=StepState.UNDONE, shift=StepState.UNDONE), LOCKS),
        (over(DEPLOYMENT, State.FAILED, green=StepState.STUCK, shift=StepState.STUCK), LOCKS),
        (over(DEPLOYMENT, State.UNDONE, green=StepState.UNDONE), ()),  # no traffic was ever moved
        (over(DEPLOYMENT, State.DONE, green=StepState.DONE, shift=StepState.DONE), ()),
        (over(ROLLBACK, State.DONE, traffic=StepState.DONE), LOCKS),
        (over(ROLLBACK, State.PARTIAL, traffic=StepState.DONE, drain=StepState.FAILED), LOCKS),
        (over(replace(ROLLBACK, operation="cleanup"), State.DONE), ()),
    ],
)
def test_an_environment_is_locked_after_traffic_went_back_and_only_then(
    run: OperationRecord, locks: tuple[Lock, ...]
) -> None:
    assert locks_after(run, PRODUCTION, T0, "a look") == locks


@pytest.mark.parametrize("undone", [True, False])
def test_it_lasts_as_long_as_the_card_has_said(undone: bool) -> None:
    until = T0 + timedelta(minutes=59)
    told: dict[str, JsonValue] = {"environment": "production", "locked_until": until.isoformat()}
    plan = DEPLOYMENT if undone else ROLLBACK
    run = over(plan, State.UNDONE, shift=StepState.UNDONE) if undone else over(plan, State.DONE)
    step = StepRecord(1, StepState.DONE, T0, T0, {"undone": told} if undone else told)
    locks = locks_after(replace(run, steps=(*run.steps, step)), PRODUCTION, T0, "a look")
    assert {lock.until for lock in locks} == {until}


def test_an_environment_may_want_none() -> None:
    environment = replace(PRODUCTION, lock_after_rollback=timedelta(0))
    assert locks_after(over(ROLLBACK, State.DONE), environment, T0, "a look") == ()


@pytest.mark.parametrize(
    ("held", "subject"),
    [
        ([], "production"),
        ([Lock("production", 1, "U0ANN", T0, run=7)], "production"),
        ([Lock("production", 1, "U0ANN", T0, run=6)], "production/shop"),
        ([Lock("production", 1, "U0BOB", T0)], "production/shop"),
        ([Lock("staging", 1, "U0BOB", T0)], "production"),
    ],
)
def test_where_somebody_else_holds_the_environment_the_service_in_it_is_locked(
    held: list[Lock], subject: str
) -> None:
    assert lockable("production", "production/shop", held, 7) == subject
