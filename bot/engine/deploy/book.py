"""The book of deployments: what became of each, what lives where, and what others are told of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog
from pydantic import JsonValue

from bot.domain.alerts.happenings import ChangeKind, Happening
from bot.domain.deploy.afterwards import locks_after
from bot.domain.deploy.plan import DEPLOY, GREEN, SHIFT, WARM
from bot.domain.deploy.record import DeploymentRecord, Kind, Outcome, SlotRecord
from bot.domain.deploy.rollback import ROLLBACK, START, TRAFFIC
from bot.domain.deploy.service import Environment
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import State
from bot.domain.operations.plan import JsonObject, Plan
from bot.domain.operations.record import OperationRecord, StepRecord
from bot.store.also import Also, all_of, where_possible
from bot.store.deployments import DeploymentStore
from bot.store.operations import OperationStore

log = structlog.get_logger(__name__)

Announce = Callable[[Happening], Also]
"""What writes down that something was changed on purpose, for the context of alerts. It is written with what
has changed, so that a crash neither loses nor doubles it."""


Changes = Callable[[datetime], Awaitable[Sequence[Happening]]]
"""What was announced since a moment, newest first."""


class DeployBook:
    """Every method may raise StoreUnavailable; each may be called again after a crash."""

    def __init__(
        self, store: DeploymentStore, operations: OperationStore, announce: Announce, changes: Changes
    ) -> None:
        self.store = store
        self._operations = operations
        self._announce = announce
        self._changes = changes

    async def begin(self, run: int, plan: Plan, at: datetime) -> None:
        """A run is about to change something."""
        asked = await self._operations.get(run)
        service, environment = _place(plan)
        undone = None
        if plan.operation == ROLLBACK:
            last = await self.store.latest(service, environment, Outcome.DONE)
            undone = None if last is None or last.revision != plan.shown["current"] else last.id
        committed = plan.aside.get("committed_at")
        record = DeploymentRecord(
            id=0,
            operation_id=run,
            service=service,
            environment=environment,
            kind=Kind.DEPLOY if plan.operation == DEPLOY else Kind.ROLLBACK,
            revision=_revision(plan),
            previous=_text(plan.shown["current"]),
            slot=_slot(plan),
            asked_by="" if asked is None else asked.asked_by,
            decided_by=None if asked is None else asked.decided_by,
            started_at=at,
            commit_at=datetime.fromisoformat(committed) if isinstance(committed, str) else None,
            undoes=undone,
        )
        await self.store.write(self.store.adding(record))

    async def placed(self, plan: Plan, marker: str, at: datetime) -> None:
        """A release was put into its slot."""
        service, environment = _place(plan)
        slot = SlotRecord(service, environment, _slot(plan), _revision(plan), marker, at)
        await self.store.write(self.store.placing(slot))

    async def shifted(self, run: int, plan: Plan, percent: int, at: datetime) -> None:
        """So much production traffic is about to go to it. Each share is told once: an alert hours after the
        first one is still one during the deployment."""
        record = await self.store.of_operation(run)
        if record is None or await self._is_told(record, percent):
            return
        told = await self._told(run, plan, at, {"percent": percent, "event": "traffic"})
        await self.store.write(all_of(where_possible(self.store.marking(run, "traffic_at", at)), told))

    async def completed(self, run: int, plan: Plan, at: datetime) -> None:
        """It carries everything."""
        service, environment = _place(plan)
        slot = _slot(plan)
        known = (await self.store.slots_of(service, environment)).get(slot)
        if known is not None and known.live_since is not None:
            return  # written already, before a crash
        parts = [self.store.living(service, environment, slot, at)]
        if known is None:  # one that was running before anybody wrote it down
            parts.insert(
                0, self.store.placing(SlotRecord(service, environment, slot, _revision(plan), "", at))
            )
        parts.append(await self._told(run, plan, at, {"percent": 100, "event": "complete"}))
        await self.store.write(all_of(*parts))

    async def turned(self, run: int, at: datetime) -> None:
        """It goes back: the judge or a person has just decided so. Of no interest to one that never carried
        traffic."""
        record = await self.store.of_operation(run)
        if record is not None and record.traffic_at is not None:
            await self.store.write(self.store.moving(run, failed_at=at))

    async def restored(self, run: int, plan: Plan, at: datetime) -> None:
        """All traffic is where it was before."""
        service, environment = _place(plan)
        blue = _slot(plan).other
        if blue in await self.store.slots_of(service, environment):
            await self.store.write(self.store.living(service, environment, blue, at))
        record = await self.store.of_operation(run)
        if record is not None and record.traffic_at is not None:
            told = await self._told(run, plan, at, {"percent": 0, "event": "back"})
            await self.store.write(all_of(self.store.marking(run, "restored_at", at), told))

    async def reached(self, run: int, at: datetime) -> None:
        """A rollback has brought traffic back."""
        await self.store.write(self.store.marking(run, "restored_at", at))

    async def emptied(self, plan: Plan, slot: Slot) -> None:
        """What was in a slot has been stopped."""
        service, environment = _place(plan)
        await self.store.write(self.store.emptying(service, environment, slot))

    async def ended(self, over: OperationRecord) -> None:
        """The run is over."""
        plan, record = over.plan, await self.store.of_operation(over.id)
        if plan.operation not in (DEPLOY, ROLLBACK) or record is None:
            return
        outcome = _outcome(over, record)
        failed = record.failed_at
        if outcome is not Outcome.DONE and failed is None and record.traffic_at is not None:
            failed = over.ended_at  # it was lost on the way
        counted = [
            figures
            for at, step in enumerate(plan.steps)
            if step.name in (SHIFT, WARM) and (figures := _figures(over.step(at)))
        ]
        written = self.store.moving(
            over.id,
            outcome,
            ended_at=over.ended_at,
            failed_at=failed,
            requests=sum(_count(each.get("requests")) for each in counted) if counted else None,
            errors=sum(_count(each.get("errors")) for each in counted) if counted else None,
        )
        await self.store.write(written)
        log.info("deployment_over", run=over.id, revision=record.revision, outcome=outcome.value)

    async def locked_until(self, run: int, environment: Environment, at: datetime) -> datetime | None:
        """Until when nothing will be deployed there because a deployment that is being undone has moved
        traffic, if it ends at that moment; None where nothing is locked."""
        record = await self._operations.get(run)
        locks = () if record is None else locks_after(record, environment, at, "")
        return locks[0].until if locks else None

    async def _is_told(self, record: DeploymentRecord, percent: int) -> bool:
        """Whether that share has been told, before a crash."""
        changes = await self._changes(record.started_at)
        return any(
            (each.facts.get("operation"), each.facts.get("event"), each.facts.get("percent"))
            == (record.operation_id, "traffic", percent)
            for each in changes
        )

    async def _told(self, run: int, plan: Plan, at: datetime, facts: dict[str, JsonValue]) -> Also:
        service, environment = _place(plan)
        asked = await self._operations.get(run)
        back = facts["event"] == "back"
        rolled_back = back or plan.operation == ROLLBACK
        now = (_text(plan.shown["current"]) if back else None) or _revision(plan)
        return self._announce(
            Happening(
                at=at,
                kind=ChangeKind.ROLLBACK if rolled_back else ChangeKind.DEPLOY,
                service=service,
                environment=environment,
                title=f"{service} {now}",
                by="" if asked is None else asked.asked_by,
                facts={
                    **facts,
                    "operation": run,
                    "kind": plan.operation,
                    "revision": _revision(plan),
                    "previous": _text(plan.shown["current"]),
                },
            )
        )


def _outcome(over: OperationRecord, record: DeploymentRecord) -> Outcome:
    if over.plan.operation == ROLLBACK:
        # Also where a file could not be written: production is there all the same.
        return Outcome.DONE if record.traffic_at is not None else Outcome.FAILED
    match over.state:
        case State.DONE:
            return Outcome.DONE
        case State.UNDONE if record.traffic_at is not None:
            return Outcome.ROLLED_BACK
        case State.UNDONE if over.stopped_by is not None:
            return Outcome.STOPPED
        case _:
            return Outcome.FAILED


def _figures(step: StepRecord | None) -> JsonObject:
    """What a stage has counted, whether it passed or was the one that turned out bad."""
    if step is None:
        return {}
    found = [step.result, *([] if step.problem is None else [step.problem.values])]
    return next((each for each in found if "requests" in each), {})


def _place(plan: Plan) -> tuple[str, str]:
    return str(plan.shown["service"]), str(plan.shown["environment"])


def _revision(plan: Plan) -> str:
    return str(plan.shown["revision" if plan.operation == DEPLOY else "target"])


def _slot(plan: Plan) -> Slot:
    names = (GREEN,) if plan.operation == DEPLOY else (START, TRAFFIC)
    return next(Slot(str(step.params["slot"])) for step in plan.steps if step.name in names)


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0
