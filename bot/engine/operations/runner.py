"""A run: the steps of an approved plan, one after the other, whatever becomes of the process meanwhile.

The body is called again after a crash. It decides only by what its journal gives back, and acts only within
the journal's steps, so that it comes to the same steps in the same order every time.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import structlog
from pydantic import JsonValue

from bot.domain.operations.approval import UNDER_WAY, State
from bot.domain.operations.plan import JsonObject, OnFailure
from bot.domain.operations.record import STUCK, OperationRecord, Problem, StepRecord, StepState
from bot.engine.clock import Clock
from bot.engine.operations.contract import Operation, StepFailed, Stopped
from bot.engine.operations.durable import Journal, Run
from bot.engine.operations.live import LiveWork
from bot.engine.uninterrupted import uninterrupted
from bot.store.errors import StoreUnavailable
from bot.store.operations import OperationStore

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 2.0
T = TypeVar("T")

Changed = Callable[[int], None]
"""Something of the operation of that number has changed: its card wants drawing again."""
Ended = Callable[[OperationRecord, State, Problem | None], Coroutine[object, object, None]]
"""A run has come to its end: write it down. Called again if the process died before that was kept."""
Attach = Callable[[int, str, str], None]
"""Put a file into the thread of an operation: number, name, text. From any thread."""
Call = Callable[[int, str, JsonObject], None]
"""Call those who asked for and approved an operation: number, phrase, values."""


class Runner:
    """Does the steps of runs, and undoes them."""

    def __init__(
        self,
        store: OperationStore,
        operations: Mapping[str, Operation],
        clock: Clock,
        changed: Changed,
        ended: Ended,
        attach: Attach,
        call: Call = lambda number, what, detail: None,
        retry_seconds: float = _RETRY_SECONDS,
    ) -> None:
        self._store = store
        self._operations = operations
        self._clock = clock
        self._changed = changed
        self._ended = ended
        self._attach = attach
        self._call = call
        self._retry_seconds = retry_seconds
        self._live: dict[int, LiveWork] = {}
        self._doing: dict[int, OperationRecord] = {}
        self._past: set[int] = set()
        """runs of which a step was past its return, until their end is on record"""
        self._closing = False

    def close(self) -> None:
        """From now on everything may be taken away from under a step."""
        self._closing = True

    def live(self, number: int) -> LiveWork | None:
        """The step of that operation that is under way."""
        return self._live.get(number)

    def running(self) -> Mapping[int, LiveWork]:
        """The steps that are under way, by operation."""
        return dict(self._live)

    def record(self, number: int) -> OperationRecord | None:
        """That operation as it was when its run began, while a step is done: for those who cannot read it."""
        return self._doing.get(number)

    def stop(self, number: int, by: str) -> bool:
        """Tell the step that is under way who pressed 중단; False if none is."""
        work = self._live.get(number)
        if work is not None:
            work.stop(by)
        return work is not None

    def is_past_return(self, number: int) -> bool:
        """Whether the step that is under way cannot be stopped any more, or one before it could not."""
        work = self._live.get(number)
        return number in self._past or (work is not None and work.is_past_return)

    def hold(self, number: int, by: str) -> None:
        """Tell it who wants it to stay where it is."""
        work = self._live.get(number)
        if work is not None:
            work.hold(by)

    def go(self, number: int, by: str) -> None:
        """Tell it who pressed 계속."""
        work = self._live.get(number)
        if work is not None:
            work.go(by)

    async def body(self, run: Run, journal: Journal) -> None:
        """Do everything, from wherever it is. Nothing if that plan does not run: a journal can be older than
        the database beside it, and what it knows as begun may have been approved by nobody here."""
        record = await self._patiently(lambda: self._store.get(run.number))
        if record is None or record.plan_hash != run.plan_hash or record.state not in UNDER_WAY:
            log.warning("run_of_no_operation", run=run.number, state=None if record is None else record.state)
            return
        plan = record.plan
        outcomes: list[str] = []
        stopped = False
        for index in range(len(plan.steps)):
            given = await journal.once(f"do:{index}", partial(self._do, record, index))
            state = _state_of(given)
            outcomes.append(state)
            if state == StepState.DONE:
                continue
            for other in _to_undo(plan.on_failure, index):
                given = await journal.once(f"undo:{index}:{other}", partial(self._undo, record, other))
                outcomes[other] = _state_of(given)
            stopped = state == StepState.STOPPED
            if stopped or plan.on_failure is not OnFailure.UNDO_STEP:
                break
        await journal.once("end", partial(self._end, record, outcomes, stopped))

    async def _do(self, record: OperationRecord, index: int) -> JsonValue:
        """Do a step: its state, which is kept."""
        # There before anybody looks whether it was stopped: who presses 중단 from now on reaches it.
        work, self._doing[record.id] = self._begin(record, index), record
        began = self._clock()
        step = record.plan.steps[index]
        operation = self._operations.get(record.plan.operation)
        try:
            fresh = await self._patiently(lambda: self._store.get(record.id))
            if fresh is None or fresh.stopped_by is not None:
                raise Stopped
            if fresh.held_by is not None:
                work.hold(fresh.held_by)
            held = fresh  # the narrowed one, for the closure
            if fresh.token is not None and not await self._patiently(lambda: self._store.holds_lock(held)):
                # Whoever holds the lock by now must not meet us there.
                raise StepFailed("lock_lost", subject=record.plan.subject)
            await self._save(record.id, StepRecord(index, StepState.DOING, began))
            if operation is None:
                raise StepFailed("no_such_operation", operation=record.plan.operation)
            # A step that meets a database that is away is done once more when it is back: it looks first.
            result = await self._once_stored(lambda: operation.do(record.plan, step, work))
            done = StepRecord(index, StepState.DONE, began, self._clock(), result)
        except Stopped as stopped:
            done = StepRecord(index, StepState.STOPPED, began, self._clock(), stopped.result)
        except StepFailed as failed:
            problem = self._failed(failed)
            done = StepRecord(index, StepState.FAILED, began, self._clock(), {}, problem)
        except Exception:  # a bug in a step must not leave the run lying: it is a step that failed
            reference = secrets.token_hex(2)
            log.exception("internal_error", reference=reference, what=step.name, run=record.id)
            done = StepRecord(index, StepState.FAILED, began, self._clock(), {}, self._bug(reference))
        finally:
            if work.is_past_return:
                self._past.add(record.id)
            self._live.pop(record.id, None)
            self._doing.pop(record.id, None)
        if work.stopped_by is not None:
            # While the database was away that could not be written, and the step may have ended all the same:
            # the next one must find it.
            stopping = self._store.stopping(record.id, work.stopped_by)
            await self._patiently(lambda: self._store.write(stopping))
        return await self._save(record.id, done)

    async def _undo(self, record: OperationRecord, index: int) -> JsonValue:
        """Undo a step, whatever became of it: its state, which is kept."""
        fresh = await self._patiently(lambda: self._store.get(record.id))
        before = None if fresh is None else fresh.step(index)
        if fresh is None or before is None:
            return StepState.UNDONE.value
        step = record.plan.steps[index]
        if step.undo is None:
            return before.state.value
        if record.plan.on_failure is OnFailure.UNDO_ALL:
            turning = self._store.moving(record.id, [State.RUNNING], State.UNDOING)
            await self._patiently(lambda: self._store.write(turning))
        await self._save(record.id, replace(before, state=StepState.UNDOING))
        operation = self._operations.get(record.plan.operation)
        work = self._begin(fresh, index)
        state, result, problem = StepState.UNDONE, dict(before.result), before.problem
        try:
            if operation is None:
                raise StepFailed("no_such_operation", operation=record.plan.operation)
            result["undone"] = dict(await self._once_stored(lambda: operation.undo(record.plan, step, work)))
        except StepFailed as failed:
            state, problem = StepState.STUCK, _stuck(before.problem, self._failed(failed))
        except Exception:  # as in `_do`
            reference = secrets.token_hex(2)
            log.exception("internal_error", reference=reference, what=step.undo, run=record.id)
            state, problem = StepState.STUCK, _stuck(before.problem, self._bug(reference))
        finally:
            self._live.pop(record.id, None)
        after = StepRecord(index, state, before.began_at, self._clock(), result, problem)
        return await self._save(record.id, after)

    async def _end(self, record: OperationRecord, outcomes: list[str], stopped: bool) -> JsonValue:
        fresh = await self._patiently(lambda: self._store.get(record.id)) or record
        state = final_state(outcomes, len(record.plan.steps), record.plan.on_failure, stopped)
        problem = _why(fresh, len(outcomes) - 1)
        await self._patiently(lambda: self._ended(fresh, state, problem))
        self._past.discard(record.id)
        return state.value

    def _begin(self, record: OperationRecord, index: int) -> LiveWork:
        work = LiveWork(
            record.id,
            record.token or 0,
            index,
            partial(self._attach, record.id),
            partial(self._call, record.id),
            partial(self._changed, record.id),
        )
        self._live[record.id] = work
        return work

    def _failed(self, failed: StepFailed) -> Problem:
        self._unless_closing()
        return Problem("failed", failed.reason, failed.values)

    def _bug(self, reference: str) -> Problem:
        """What failed for a reason nobody thought of."""
        self._unless_closing()
        return Problem("failed", "bug", {"reference": reference})

    def _unless_closing(self) -> None:
        """While everything is taken down around a step, its own programs too, what it meets is no failure: it
        is done again at the next start."""
        if self._closing:
            raise asyncio.CancelledError

    async def _save(self, number: int, step: StepRecord) -> str:
        await self._patiently(lambda: self._store.save_step(number, step))
        self._changed(number)
        return step.state.value

    async def _once_stored(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """What `work` gives, begun again as often as the database is away meanwhile."""
        while True:
            try:
                return await work()
            except StoreUnavailable as error:
                log.warning("step_waits_for_store", detail=error.detail)
                await asyncio.sleep(self._retry_seconds)

    async def _patiently(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """What `work` gives, as soon as the database can be used: a run waits for it."""
        while True:
            try:
                # To its end, whoever is cancelled: a connection that is left in the middle is lost.
                return await uninterrupted(work())
            except StoreUnavailable as error:
                log.warning("run_waits_for_store", detail=error.detail)
                await asyncio.sleep(self._retry_seconds)


def final_state(outcomes: list[str], steps: int, on_failure: OnFailure, stopped: bool) -> State:
    """How a run has ended, by what became of its steps; those behind the last outcome did not begin.
    `stopped`: the last of them ended because somebody pressed 중단, whatever was made of it then."""
    if StepState.STUCK in outcomes:
        return State.FAILED
    if len(outcomes) == steps and all(each == StepState.DONE for each in outcomes):
        return State.DONE
    stays = StepState.DONE in outcomes and StepState.UNDONE not in outcomes
    if stopped and (on_failure is not OnFailure.UNDO_ALL or stays):
        return State.STOPPED
    if on_failure is OnFailure.STOP:
        # What was done until somebody stopped it stays.
        return State.FAILED if StepState.FAILED in outcomes else State.PARTIAL
    # Of a run that is taken back wholly, what is still done had nothing to undo.
    if on_failure is OnFailure.UNDO_STEP and StepState.DONE in outcomes:
        return State.PARTIAL
    return State.UNDONE


def _stuck(cause: Problem | None, problem: Problem) -> Problem:
    """Why a step cannot be undone; beside why it has to be, where it failed itself."""
    if cause is None:
        return problem
    return replace(cause, values={**cause.values, STUCK: problem.as_json()})


def _why(record: OperationRecord, last: int) -> Problem | None:
    """What a run has ended for: of one that is taken back wholly, what became of the last step."""
    ended = record.step(last)
    if record.plan.on_failure is OnFailure.UNDO_ALL and ended is not None and ended.problem is not None:
        return ended.problem
    return next((step.problem for step in record.steps if step.problem is not None), None)


def _to_undo(on_failure: OnFailure, index: int) -> Iterator[int]:
    """The steps to undo when that one was not done, in their order."""
    if on_failure is OnFailure.UNDO_ALL:
        yield from range(index, -1, -1)
    elif on_failure is OnFailure.UNDO_STEP:
        yield index


def _state_of(given: JsonValue) -> str:
    return given if isinstance(given, str) else StepState.FAILED.value
