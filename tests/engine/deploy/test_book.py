"""The book of deployments: outcomes and moments, as a month of figures needs them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import JsonValue

from bot.domain.alerts.happenings import ChangeKind
from bot.domain.deploy.plan import DEPLOY, DeployFacts, deploy_plan
from bot.domain.deploy.record import DeploymentRecord, Outcome, SlotRecord
from bot.domain.deploy.risk import Risk, RiskLevel
from bot.domain.deploy.rollback import RollbackFacts, rollback_plan
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import State
from bot.domain.operations.plan import Plan
from bot.domain.operations.record import OperationRecord, Problem, StepRecord, StepState
from bot.engine.deploy.book import DeployBook
from bot.store.database import Database
from bot.store.deployments import DeploymentStore
from bot.store.insight import InsightStore
from bot.store.operations import OperationStore
from tests.engine.deploy.ground import BRISK, service_of
from tests.engine.support import SetClock
from tests.factories import T0

RUN = 7


def deployment() -> Plan:
    """v1 in slot a, v2 to come into slot b."""
    environment = replace(BRISK, addresses={Slot.A: "127.0.0.1:1", Slot.B: "127.0.0.1:2"})
    facts = DeployFacts(
        service=service_of(environment),
        environment=environment,
        revision="v2",
        commit=None,
        current="v1",
        green=Slot.B,
        has_blue=True,
        checks=(),
        risk=Risk(RiskLevel.LOW, ()),
        notes={"committed_at": "2026-02-28T09:00:00+00:00"},
    )
    return deploy_plan(facts, T0)


def rollback() -> Plan:
    """Back to v1."""
    environment = replace(BRISK, addresses={Slot.A: "127.0.0.1:1", Slot.B: "127.0.0.1:2"})
    return rollback_plan(RollbackFacts("shop", environment, "v1", Slot.A, False, "v2"), T0)


def over(plan: Plan, state: State, *steps: StepRecord, stopped_by: str | None = None) -> OperationRecord:
    """A run of that plan that has ended after an hour."""
    return OperationRecord(
        id=RUN, plan=plan, plan_hash=plan.hash, request={}, state=state, channel="ops", asked_by="U0ANN",
        asked_at=T0, expires_at=T0, steps=steps, ended_at=T0 + timedelta(hours=1), stopped_by=stopped_by,
    )  # fmt: skip


class Book:
    """A book in a database, and what it says of the run."""

    def __init__(self, database: Database) -> None:
        self.insight = InsightStore(database)
        self.store = DeploymentStore(database)
        self.book = DeployBook(
            self.store, OperationStore(database), self.insight.adding_change, self.insight.changes
        )

    async def row(self) -> DeploymentRecord:
        """The run's."""
        found = await self.store.of_operation(RUN)
        assert found is not None
        return found

    async def events(self) -> list[JsonValue]:
        """What others were told, oldest first."""
        found = await self.insight.changes(T0 - timedelta(days=1))
        return [each.facts["event"] for each in reversed(found)]


@pytest.fixture
def book(database: Database) -> Book:
    """An empty one."""
    return Book(database)


@pytest.mark.parametrize(
    ("state", "stopped_by", "traffic", "outcome"),
    [
        (State.DONE, None, True, Outcome.DONE),
        (State.UNDONE, None, True, Outcome.ROLLED_BACK),
        (State.UNDONE, "U0BOB", True, Outcome.ROLLED_BACK),
        (State.UNDONE, "U0BOB", False, Outcome.STOPPED),
        (State.UNDONE, None, False, Outcome.FAILED),
        (State.FAILED, None, True, Outcome.FAILED),
        (State.FAILED, None, False, Outcome.FAILED),
    ],
)
async def test_what_became_of_a_deployment(
    book: Book, state: State, stopped_by: str | None, traffic: bool, outcome: Outcome
) -> None:
    plan = deployment()
    await book.book.begin(RUN, plan, T0)
    if traffic:
        await book.book.shifted(RUN, plan, 25, T0)
    await book.book.ended(over(plan, state, stopped_by=stopped_by))
    row = await book.row()
    assert (row.outcome, row.ended_at) == (outcome, T0 + timedelta(hours=1))
    # What was lost on the way failed when that was found.
    lost = traffic and outcome is not Outcome.DONE
    assert row.failed_at == (T0 + timedelta(hours=1) if lost else None)


async def test_each_moment_is_the_first_and_is_told_once_however_often_a_step_is_done(book: Book) -> None:
    plan, minute = deployment(), timedelta(minutes=1)
    await book.store.write(book.store.placing(SlotRecord("shop", "production", Slot.A, "v1", "", T0, T0)))
    await book.book.begin(RUN, plan, T0)
    await book.book.begin(RUN, plan, T0 + minute)
    await book.book.placed(plan, "run-7", T0)
    for again in range(2):
        for percent in (25, 100):
            await book.book.shifted(RUN, plan, percent, T0 + minute * (1 + again))
    for again in range(2):
        await book.book.completed(RUN, plan, T0 + minute * (3 + again))
    slots = await book.store.slots_of("shop", "production")
    assert {slot: each.live_since for slot, each in slots.items()} == {Slot.A: None, Slot.B: T0 + minute * 3}
    for again in range(2):
        await book.book.turned(RUN, T0 + minute * (5 + again))
        await book.book.restored(RUN, plan, T0 + minute * (7 + again))
        await book.book.emptied(plan, Slot.B)
    row = await book.row()
    assert (row.started_at, row.traffic_at) == (T0, T0 + minute)
    assert (row.failed_at, row.restored_at) == (T0 + minute * 5, T0 + minute * 7)
    assert row.commit_at == T0 - timedelta(days=1)
    assert await book.events() == ["traffic", "traffic", "complete", "back"]
    *_, back = reversed(await book.insight.changes(T0 - timedelta(days=1)))
    assert (back.kind, back.title, back.facts["revision"]) == (ChangeKind.ROLLBACK, "shop v1", "v2")
    slots = await book.store.slots_of("shop", "production")
    assert {slot: each.live_since for slot, each in slots.items()} == {Slot.A: T0 + minute * 7}


async def test_going_back_without_any_traffic_restores_nothing_and_tells_nobody(book: Book) -> None:
    plan = deployment()
    await book.book.begin(RUN, plan, T0)
    await book.book.turned(RUN, T0)
    await book.book.restored(RUN, plan, T0)
    row = await book.row()
    assert (row.failed_at, row.restored_at) == (None, None)
    assert await book.events() == []


async def test_all_stages_count_the_one_that_failed_among_them(book: Book) -> None:
    plan = deployment()
    shifts = [at for at, step in enumerate(plan.steps) if step.name == "shift"]
    await book.book.begin(RUN, plan, T0)
    await book.book.shifted(RUN, plan, 25, T0)
    judged = Problem("failed", "judged", {"requests": 40, "errors": 6})
    await book.book.ended(
        over(
            plan,
            State.UNDONE,
            StepRecord(shifts[0], StepState.UNDONE, T0, T0, {"requests": 1000, "errors": 1, "undone": {}}),
            StepRecord(shifts[1], StepState.UNDONE, T0, T0, {"undone": {}}, judged),
        )
    )
    row = await book.row()
    assert (row.requests, row.errors) == (1040, 7)


async def test_where_nobody_counted_there_is_no_count(book: Book) -> None:
    plan = deployment()
    await book.book.begin(RUN, plan, T0)
    await book.book.ended(over(plan, State.UNDONE))
    row = await book.row()
    assert (row.requests, row.errors) == (None, None)


@pytest.mark.parametrize("moved", [True, False])
async def test_a_rollback_is_done_once_traffic_is_there_whatever_fails_after_it(
    book: Book, moved: bool
) -> None:
    plan = rollback()
    await book.book.begin(RUN, plan, T0)
    if moved:
        await book.book.shifted(RUN, plan, 100, T0)
        await book.book.reached(RUN, T0)
        (change,) = await book.insight.changes(T0 - timedelta(days=1))
        assert (change.kind, change.title) == (ChangeKind.ROLLBACK, "shop v1")
    await book.book.ended(over(plan, State.PARTIAL))
    row = await book.row()
    assert row.outcome is (Outcome.DONE if moved else Outcome.FAILED)
    assert row.restored_at == (T0 if moved else None)


async def test_what_ended_before_it_began_has_no_row(book: Book) -> None:
    plan = deployment()
    assert plan.operation == DEPLOY
    await book.book.ended(over(plan, State.UNDONE))
    assert await book.store.of_operation(RUN) is None


async def test_nothing_is_written_where_a_change_cannot_be(book: Book, clock: SetClock) -> None:
    # One transaction: the second time nothing is told because nothing is written, and the other way round.
    plan = deployment()
    await book.book.shifted(RUN, plan, 25, T0)  # there is no such deployment
    assert await book.events() == []
