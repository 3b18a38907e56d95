"""From what is known of an operation to what its messages need to know."""

from __future__ import annotations

from datetime import datetime

from bot.domain.operations.locks import Lock
from bot.domain.operations.record import OperationRecord, Problem, StepRecord
from bot.engine.operations.locks import lock_facts
from messages.operation_facts import (
    OperationFacts,
    OperationProblemFacts,
    OperationProgressFacts,
    OperationStepFacts,
)


def family_of(operation: str) -> str:
    """The file of phrases with the words of that operation: those of `backup_verify` are in `backup`."""
    return operation.partition("_")[0]


def operation_facts(
    record: OperationRecord,
    *,
    command: str,
    needs_second: bool = False,
    progress: OperationProgressFacts | None = None,
    place: int | None = None,
    waits_for: Lock | None = None,
    undo_until: datetime | None = None,
    undone_by: int | None = None,
    remedy: str | None = None,
) -> OperationFacts:
    """The facts for the card."""
    plan = record.plan
    return OperationFacts(
        id=record.id,
        operation=plan.operation,
        family=family_of(plan.operation),
        subject=plan.subject,
        state=record.state.value,
        plan_hash=record.plan_hash,
        asked_by=record.asked_by,
        asked_at=record.asked_at.isoformat(),
        expires_at=record.expires_at.isoformat(),
        steps=tuple(
            _step(step.name, step.params, step.undo, record.step(number))
            for number, step in enumerate(plan.steps)
        ),
        shown=plan.shown,
        aside=plan.aside,
        needs_second=needs_second,
        command=command,
        decided_by=record.decided_by,
        decided_at=_written(record.decided_at),
        reason=record.reason,
        glass=record.glass,
        stopped_by=record.stopped_by,
        held_by=record.held_by,
        started_at=_written(record.started_at),
        ended_at=_written(record.ended_at),
        problem=problem_facts(record.problem),
        progress=progress,
        place=place,
        waits_for=None if waits_for is None else lock_facts(waits_for),
        undo_until=_written(undo_until),
        undone_by=undone_by,
        remedy=remedy,
        files=tuple(file.name for file in plan.files),
    )


def problem_facts(problem: Problem | None) -> OperationProblemFacts | None:
    """A problem as messages show it."""
    return None if problem is None else OperationProblemFacts(problem.kind, problem.reason, problem.values)


def _step(name: str, params: object, undo: str | None, record: StepRecord | None) -> OperationStepFacts:
    shown = dict(params) if isinstance(params, dict) else {}
    if record is None:
        return OperationStepFacts(name, shown, undo)
    return OperationStepFacts(
        name=name,
        params=shown,
        undo=undo,
        state=record.state.value,
        result=record.result,
        problem=problem_facts(record.problem),
        began_at=_written(record.began_at),
        ended_at=_written(record.ended_at),
    )


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
