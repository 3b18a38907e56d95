"""That runs go: they are set going, gone on with after a restart, and looked after; and what becomes of them
when the place where they live cannot be used."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import structlog

from bot.domain.operations.approval import UNDER_WAY, State
from bot.domain.operations.record import OperationRecord, Problem, StepState
from bot.engine.operations.durable import Durable, Run, RunsBroken, RunsUnavailable
from bot.engine.operations.moves import Moves
from bot.engine.operations.parts import Parts
from bot.engine.operations.shown import Shown
from bot.store.errors import StoreUnavailable
from messages.operation_facts import RunsTroubleFacts

log = structlog.get_logger(__name__)

_LOST_SECONDS = 30.0
_KEPT, _LOOKED_BACK = timedelta(days=1), 100
_WAITING = (State.QUEUED, *UNDER_WAY)


class Ended(Protocol):
    """Writes down that a run is over."""

    async def __call__(self, record: OperationRecord, state: State, problem: Problem | None) -> None:
        """Raises StoreUnavailable."""
        ...


class Going:
    """Every method may raise StoreUnavailable. What keeps runs from going is said in the channel once, and on
    the cards of those that wait for it; nothing of it is raised."""

    def __init__(self, parts: Parts, shown: Shown, moves: Moves, durable: Durable, ended: Ended) -> None:
        self._parts = parts
        self._shown = shown
        self._moves = moves
        self._durable = durable
        self._ended = ended
        self._going: dict[int, float] = {}
        """when this process set a run going, or looked whether it goes"""
        self._forgotten: set[int] = set()
        self._making_ready = asyncio.Lock()
        self._tried_at: float | None = None
        """when the place where runs live could not be used; None: it can, as far as anybody knows"""

    async def resume(self, found: Iterable[OperationRecord]) -> None:
        """Go on with what was under way when the process ended."""
        under_way = [record for record in found if record.state in UNDER_WAY]
        try:
            if not under_way or not await self.ready():
                return
        except StoreUnavailable as error:
            # What is lost is written down, and told, as soon as that can be.
            log.warning("runs_not_resumed", detail=error.detail)
            return
        for record in under_way:
            fresh = await self._parts.store.get(record.id)
            if fresh is not None and fresh.state in UNDER_WAY:
                log.info("run_goes_on", run=record.id, operation=record.plan.operation)
                await self._moves.note(record, "resumed")
                await self.set_going(record)

    async def ready(self) -> bool:
        """Whether runs can be set going. Where a damaged file kept them, what was under way is lost and ended
        as that, the file is put aside, and runs go on with a new one."""
        async with self._making_ready:
            if self._tried_at is not None and time.monotonic() - self._tried_at < self._parts.runs_again:
                return False
            try:
                try:
                    await self._durable.ready()
                except RunsBroken as broken:
                    await self._lose(broken)
                    await self._durable.ready()
            except (RunsUnavailable, RunsBroken) as error:
                await self._hindered(str(error))
                return False
            await self._unhindered()
            return True

    async def set_going(self, record: OperationRecord) -> None:
        """Start that run, or go on with it. What fails here is tried again when one looks after it."""
        try:
            await self._durable.start(Run(record.id, record.plan_hash))
            self._going[record.id] = time.monotonic()
            await self._forget_old()
        except (RunsUnavailable, RunsBroken) as error:
            log.error("run_not_set_going", run=record.id, detail=str(error))

    async def look_after(self, record: OperationRecord) -> None:
        """A run that could not be set going is now; one that is over without having said so is a failure."""
        looked_at = self._going.get(record.id)
        if looked_at is None:
            fresh = await self._parts.store.get(record.id) if await self.ready() else None
            if fresh is not None and fresh.state in UNDER_WAY:
                await self.set_going(fresh)
        elif time.monotonic() - looked_at >= _LOST_SECONDS:
            self._going[record.id] = time.monotonic()
            try:
                over = await self._durable.is_over(Run(record.id, record.plan_hash))
            except (RunsUnavailable, RunsBroken) as error:
                log.error("run_not_looked_after", run=record.id, detail=str(error))
                del self._going[record.id]
                return
            if over:
                await self._end_lost(record, Problem("failed", "lost", {}))

    def keep(self, numbers: Collection[int]) -> None:
        """Only those are not over."""
        self._going = {number: at for number, at in self._going.items() if number in numbers}

    async def _forget_old(self) -> None:
        """Let go of what was kept of runs that have been over for a day: nobody goes on with them."""
        now = self._parts.clock()
        for record in await self._parts.store.latest(_LOOKED_BACK):
            over = record.started_at is not None and record.ended_at is not None
            if over and record.id not in self._forgotten and now - (record.ended_at or now) > _KEPT:
                await self._durable.forget(Run(record.id, record.plan_hash))
                self._forgotten.add(record.id)

    async def _lose(self, broken: RunsBroken) -> None:
        """End what was under way, and then put the file aside: should the process end in between, the file is
        found broken once more, and nothing of what it kept is begun anew in the meantime."""
        lost = [each for each in await self._parts.store.open() if each.state in UNDER_WAY]
        for record in lost:
            await self._end_lost(record, Problem("failed", "lost", {"file": broken.file.name}))
        aside = await self._durable.start_anew()
        numbers = tuple(record.id for record in lost)
        log.error("runs_broken", aside=str(aside), detail=broken.detail, lost=numbers)
        await self._parts.tell_runs(RunsTroubleFacts("broken", broken.detail, str(aside), numbers))

    async def _end_lost(self, record: OperationRecord, problem: Problem) -> None:
        log.error("run_lost", run=record.id, operation=record.plan.operation)
        self._going.pop(record.id, None)
        now = self._parts.clock()
        for step in record.steps:
            if step.state in (StepState.DOING, StepState.UNDOING):
                # Nobody knows how far it is: somebody has to look.
                stuck = replace(step, state=StepState.STUCK, ended_at=now, problem=problem)
                await self._parts.store.save_step(record.id, stuck)
        await self._ended(record, State.FAILED, problem)

    async def _hindered(self, detail: str) -> None:
        first, self._tried_at = self._tried_at is None, time.monotonic()
        self._shown.hindrance = Problem("failed", "runs_unavailable", {"detail": detail})
        if first:
            log.error("runs_unavailable", detail=detail)
            await self._draw_waiting()
            await self._parts.tell_runs(RunsTroubleFacts("unavailable", detail))

    async def _unhindered(self) -> None:
        if self._tried_at is None:
            return
        self._tried_at, self._shown.hindrance = None, None
        log.info("runs_available")
        await self._draw_waiting()
        await self._parts.tell_runs(RunsTroubleFacts("back"))

    async def _draw_waiting(self) -> None:
        for record in await self._parts.store.open():
            if record.state in _WAITING:
                await self._moves.draw(record.id)
