"""How an operation looks now: its place in the queue, what it waits for, how far its step is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from bot.domain.operations.approval import OPEN, UNDER_WAY, State
from bot.domain.operations.locks import Lock
from bot.domain.operations.plan import JsonObject
from bot.domain.operations.record import OperationRecord, Problem
from bot.engine.operations.facts import family_of, operation_facts
from bot.engine.operations.live import LiveWork
from bot.engine.operations.locks import freeze_facts, lock_facts
from bot.engine.operations.parts import Parts
from messages.operation_facts import (
    OperationFacts,
    OperationProblemFacts,
    OperationRefusedFacts,
    OperationsFacts,
)

_HISTORY = 8


def waiting(records: Iterable[OperationRecord], subject: str) -> list[OperationRecord]:
    """Those that wait for that subject, in the order in which they were approved."""
    queued = [each for each in records if each.state is State.QUEUED and each.plan.subject == subject]
    return sorted(queued, key=lambda each: (each.decided_at or each.asked_at, each.id))


class Shown:
    """Makes facts of operations."""

    def __init__(self, parts: Parts, live: Callable[[int], LiveWork | None]) -> None:
        """`live`: the step of an operation that is under way."""
        self._parts = parts
        self._live = live
        self.undo_until: Callable[[OperationRecord], datetime | None] = lambda record: None
        """until when what an operation did can be undone"""
        self.undone_by: Callable[[OperationRecord], int | None] = lambda record: None
        """the operation that undid it"""
        self.hindrance: Problem | None = None
        """what keeps everything that waits from starting"""

    def facts(
        self, record: OperationRecord, place: int | None = None, waits_for: Lock | None = None
    ) -> OperationFacts:
        """The facts for its card."""
        work = self._live(record.id)
        waits = work is None and record.problem is None and record.state in (State.QUEUED, *UNDER_WAY)
        if waits and self.hindrance is not None:
            record = replace(record, problem=self.hindrance)
        needs = self._parts.needs(record.plan.operation, record.plan.subject)
        return operation_facts(
            record,
            command=self._parts.command,
            needs_second=needs.second_person,
            progress=None if work is None else work.facts(),
            place=place,
            waits_for=waits_for,
            undo_until=self.undo_until(record),
            undone_by=self.undone_by(record),
            remedy=None if record.problem is None else _remedy(record.problem.reason),
        )

    async def placed(self, record: OperationRecord) -> OperationFacts:
        """The same, with its place in the queue and what it waits for. Raises StoreUnavailable."""
        if record.state is not State.QUEUED:
            return self.facts(record)
        lock = await self._parts.locks.in_the_way(*record.plan.subjects)
        others = [each for each in await self._parts.store.open() if each.id != record.id]
        line = waiting([*others, record], record.plan.subject)
        place = [each.id for each in line].index(record.id) + 1
        return self.facts(record) if lock is None and place == 1 else self.facts(record, place, lock)

    async def overview(self) -> OperationsFacts:
        """What runs and waits, who keeps whom off what, and what was. Raises StoreUnavailable."""
        parts, now = self._parts, self._parts.clock()
        latest = await parts.store.latest(_HISTORY + 20)
        names = {record.id: record.plan.operation for record in latest}
        freezes = [each for each in await parts.locks.all_freezes() if not each.is_over(now)]
        return OperationsFacts(
            open=tuple([await self.placed(record) for record in await parts.store.open()]),
            locks=tuple(lock_facts(lock, names.get(lock.run or 0)) for lock in await parts.locks.held()),
            freezes=tuple(freeze_facts(each, now) for each in freezes),
            history=tuple(self.facts(each) for each in latest if each.state not in OPEN)[:_HISTORY],
            command=parts.command,
        )

    def refused(
        self, name: str, reason: str, values: JsonObject, who_could: tuple[str, ...] = ()
    ) -> OperationRefusedFacts:
        """That there is no plan."""
        problem = OperationProblemFacts("refused", reason, values)
        command = self._parts.command
        return OperationRefusedFacts(name, family_of(name), problem, command, who_could, _remedy(reason))


def _remedy(reason: str) -> str | None:
    """A button that helps against that: every refusal for want of a backup begins so, and a deployment that
    is under way is taken back by what stops it."""
    if reason.startswith("no_backup"):
        return "backup"
    return "stop" if reason == "deploy_running" else None
