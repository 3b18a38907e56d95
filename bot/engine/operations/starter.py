"""Starts what was approved, in its turn and only if everything still is as it was approved; and ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import structlog
from pydantic import JsonValue

from bot.domain.audit import GUARDIAN, Action, Outcome
from bot.domain.operations.approval import UNDER_WAY, State
from bot.domain.operations.locks import PREEMPTIVE, Lock
from bot.domain.operations.plan import Difference, OnFailure, difference
from bot.domain.operations.record import OperationRecord, Problem
from bot.engine.operations.contract import Operation, OperationRefused
from bot.engine.operations.durable import Durable
from bot.engine.operations.going import Going
from bot.engine.operations.locks import frozen_values
from bot.engine.operations.moves import Moves
from bot.engine.operations.parts import Parts
from bot.engine.operations.shown import Shown, waiting
from bot.store.also import first_of, where_possible
from bot.store.errors import StoreUnavailable
from messages.operation_facts import OperationNoteFacts

log = structlog.get_logger(__name__)

_DIFFERENCES = 8
_CLOSE_SECONDS = 1.0
_HASHES = ("list", "sha256")

Stop: TypeAlias = Callable[[OperationRecord, str], Awaitable[bool]]
"""Somebody stops a run; False where that comes too late. Raises StoreUnavailable."""


class Starter:
    """Looks at what waits, again and again."""

    def __init__(
        self,
        parts: Parts,
        shown: Shown,
        moves: Moves,
        operations: Mapping[str, Operation],
        durable: Durable,
        stop: Stop,
    ) -> None:
        self._parts = parts
        self._shown = shown
        self._moves = moves
        self._operations = operations
        self._stop = stop
        self.going = Going(parts, shown, moves, durable, self.ended)
        self._busy: dict[str, asyncio.Task[None]] = {}
        """what is being started, by subject: to make a plan anew may take long"""
        self._drawn: dict[int, tuple[int, int | None]] = {}
        """the place in the queue and the lock that a card shows"""

    async def look(self, found: list[OperationRecord]) -> None:
        """Let expire what nobody approved, and start what can start. Raises StoreUnavailable."""
        now = self._parts.clock()
        for record in found:
            if record.state is State.PENDING and now >= record.expires_at:
                await self._moves.end(record, State.EXPIRED, Action.OPERATION_EXPIRE, GUARDIAN, {})
        for record in found:
            if record.state in UNDER_WAY:
                await self.going.look_after(record)
        self.going.keep({record.id for record in found})
        subjects = dict.fromkeys(each.plan.subject for each in found if each.state is State.QUEUED)
        for subject in subjects:
            if subject not in self._busy:
                await self._serve(subject, waiting(found, subject))

    async def close(self) -> None:
        """Wait a little for what is being started: what is written then is whole."""
        if self._busy:
            _, late = await asyncio.wait(list(self._busy.values()), timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()

    async def _serve(self, subject: str, line: list[OperationRecord]) -> None:
        first = line[0].plan
        lock = await self._parts.locks.in_the_way(*first.subjects)
        if lock is not None and first.operation in PREEMPTIVE:
            if lock.run is None:
                lock = None  # a person's, which `_begin` ends
            else:
                await self._preempt(line[0], lock.run)
        if lock is None:
            task = asyncio.create_task(self._start(line[0]), name=f"start:{line[0].id}")
            self._busy[subject] = task
            task.add_done_callback(lambda _: self._busy.pop(subject, None))
            line = line[1:]
        for place, record in enumerate(line, start=1):
            shown = (place, None if lock is None else lock.token)
            if self._drawn.get(record.id) != shown:
                self._drawn[record.id] = shown
                await self._moves.draw(record.id)

    async def _preempt(self, record: OperationRecord, number: int) -> None:
        """Stop the run in its way, if that is one that is taken back wholly: the one of a deployment, which
        began after this was asked for. It begins when that one is back, if all is as it was approved then."""
        running = await self._parts.store.get(number)
        if running is None or running.state is not State.RUNNING or running.stopped_by is not None:
            return
        by = record.decided_by or record.asked_by
        if running.plan.on_failure is OnFailure.UNDO_ALL and await self._stop(running, by):
            log.info("run_preempted", run=number, by=record.id)

    async def _start(self, record: OperationRecord) -> None:
        try:
            if not await self.going.ready():
                return  # it stays in the line, and its card says why
            problem = await self._objection(record)
            if problem is None:
                await self._begin(record)
            else:
                await self._refuse(record, problem)
        except StoreUnavailable as error:
            log.warning("operation_not_started", run=record.id, detail=error.detail)
        except Exception:  # a bug in a plan: what cannot be looked at must not be done, nor tried for ever
            log.exception("operation_not_started", run=record.id)
            await self._refuse(record, Problem("refused", "bug", {}))
        finally:
            self._drawn.pop(record.id, None)

    async def _refuse(self, record: OperationRecord, problem: Problem) -> None:
        state = State.CHANGED if problem.kind == "changed" else State.REFUSED
        if record.asked_by == GUARDIAN:
            # Nobody waits for what a schedule has begun, so that nobody would miss it.
            await self._parts.tell_alert(replace(record, state=state, problem=problem), state)
        await self._moves.end(
            record,
            state,
            Action.OPERATION_START,
            GUARDIAN,
            {"why": problem.reason},
            problem,
            outcome=Outcome.REFUSED,
            notes=[state.value],
        )

    async def _begin(self, record: OperationRecord) -> None:
        now = self._parts.clock()
        after = replace(record, state=State.RUNNING, started_at=now)
        # Its own subject last: the token of that lock is the run's.
        locks = [Lock(each, 0, record.asked_by, now, record.id) for each in reversed(record.plan.subjects)]
        store = self._parts.locks.store
        pushed = [store.releasing(each.subject) for each in locks if record.plan.operation in PREEMPTIVE]
        started = await self._moves.move(
            record,
            after,
            Action.OPERATION_START,
            GUARDIAN,
            {"started_at": now},
            {},
            [OperationNoteFacts("start", self._shown.facts(after), record.asked_by)],
            also=[*map(where_possible, pushed), *map(store.taking, locks)],
        )
        if started:
            log.info("run_starts", run=record.id, operation=record.plan.operation)
            await self.going.set_going(record)

    async def _objection(self, record: OperationRecord) -> Problem | None:
        """Why what was approved must not start now: a role that is gone, a freeze, or another plan."""
        parts, roles = self._parts, await self._parts.fresh_roles()
        needs = parts.needs(record.plan.operation, record.plan.subject)
        decided_by = record.decided_by or record.asked_by
        decided_as = needs.ask if record.glass else needs.approve
        for user, role in ((record.asked_by, needs.ask), (decided_by, decided_as)):
            if not roles.may(user, role):
                return Problem("refused", "role_gone", {"user": user, "role": role.word})
        frozen = await parts.locks.frozen(record.plan.operation, record.plan.subject)
        if frozen is not None:
            return Problem("refused", "frozen", frozen_values(*frozen))
        operation = self._operations.get(record.plan.operation)
        if operation is None:
            return Problem("refused", "unknown_operation", {"known": list(self._operations)})
        try:
            plan = await operation.plan(record.request, record.plan.at)
        except OperationRefused as refused:
            return Problem("refused", refused.reason, refused.values)
        if plan.hash == record.plan_hash:
            return None
        found = difference(record.plan, plan)
        return Problem("changed", "plan", {"changes": list(map(dict, _told(found)))})

    async def ended(self, record: OperationRecord, state: State, problem: Problem | None) -> None:
        """A run is over; called again after a crash, when all this may have been written already."""
        fresh = await self._parts.store.get(record.id)
        if fresh is None or fresh.state not in UNDER_WAY:
            return
        # First the alert: should the process end in between, the run is not over yet, and it is told once
        # more, which is the same alert. The other way round nobody would tell it.
        over = replace(fresh, state=state, ended_at=self._parts.clock(), problem=problem)
        await self._parts.tell_alert(over, state)
        store, locks = self._parts.locks.store, self._parts.locks_after(over)
        after = await self._moves.end(
            fresh,
            state,
            Action.OPERATION_END,
            GUARDIAN,
            {"what": state.value},
            problem,
            outcome=Outcome.DONE if state is State.DONE else Outcome.FAILED,
            notes=["end"],
            also=[
                *(store.releasing(each, run=fresh.id) for each in fresh.plan.subjects),
                where_possible(first_of(*(store.taking(each) for each in locks))),
            ],
        )
        if after is not None:
            log.info("run_ends", run=fresh.id, operation=fresh.plan.operation, state=state.value)


def _told(found: Sequence[Difference]) -> list[dict[str, JsonValue]]:
    """The differences as people read them, one for each thing of a step: of a list that has changed that it
    has, because one more file at its head makes all that follow it others, and of a hash too. What is said of
    the steps is not said again of the whole."""
    told: dict[str, dict[str, JsonValue]] = {}
    of_steps = [each for each in found if each.path.startswith("steps.")]
    for each in of_steps or found:
        parts = each.path.split(".")
        step = int(parts[1]) + 1 if parts[0] == "steps" and len(parts) > 1 and parts[1].isdecimal() else None
        name = parts[3] if step is not None and len(parts) > 3 else parts[-1]
        whole = name not in _HASHES and (step is None or len(parts) == 4)
        told.setdefault(
            f"{step}.{name}",
            {
                "step": step,
                "name": name,
                "before": each.before if whole else None,
                "after": each.after if whole else None,
            },
        )
    return list(told.values())[:_DIFFERENCES]
