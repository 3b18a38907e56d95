"""Operations in the database: every change of state is one conditional UPDATE, and whoever comes second finds
that nothing was updated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, func, insert, select, update

from bot.domain.operations.approval import OPEN, State
from bot.domain.operations.plan import plan_of
from bot.domain.operations.record import OperationRecord, Problem, StepRecord, StepState
from bot.store.also import Also, written
from bot.store.asynchronous import AsyncConnection
from bot.store.changes import Change
from bot.store.database import Database
from bot.store.operation_tables import operation_files, operation_locks, operation_steps, operations
from bot.store.writing import write_all


class OperationStore:
    """Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def adding(self, record: OperationRecord, changes: Sequence[Change] = ()) -> Also:
        """To write a new operation, under the number that it has, with its letters."""

        async def also(connection: AsyncConnection) -> bool:
            await connection.execute(insert(operations).values(_values(record)))
            await write_all(connection, changes)
            return True

        return also

    def moving(
        self,
        number: int,
        before: Iterable[State],
        after: State,
        changes: Sequence[Change] = (),
        **values: object,
    ) -> Also:
        """To move an operation to `after`, with other columns, if it is in one of the states `before`."""

        async def also(connection: AsyncConnection) -> bool:
            statement = (
                update(operations)
                .where(operations.c.id == number, operations.c.state.in_([state.value for state in before]))
                .values(state=after.value, **{name: _plain(value) for name, value in values.items()})
            )
            if (await connection.execute(statement)).rowcount != 1:
                return False
            await write_all(connection, changes)
            return True

        return also

    def stopping(self, number: int, by: str) -> Also:
        """To write who stopped it, if nobody has."""

        async def also(connection: AsyncConnection) -> bool:
            nobody = (operations.c.id == number) & operations.c.stopped_by.is_(None)
            statement = update(operations).where(nobody).values(stopped_by=by)
            return (await connection.execute(statement)).rowcount == 1

        return also

    def holding(self, number: int, by: str | None) -> Also:
        """To write who wants it to stay where it is; None: it goes on."""

        async def also(connection: AsyncConnection) -> bool:
            running = (operations.c.id == number) & (operations.c.state == State.RUNNING.value)
            if by is not None:
                running &= operations.c.held_by.is_(None)
            return (
                await connection.execute(update(operations).where(running).values(held_by=by))
            ).rowcount == 1

        return also

    async def write(self, also: Also) -> bool:
        """Write that by itself; whether it was."""
        return await written(self._database, also)

    async def save_step(self, operation_id: int, step: StepRecord) -> None:
        """Write how far a step is."""
        table = operation_steps
        values = {
            "state": step.state.value,
            "began_at": step.began_at,
            "ended_at": step.ended_at,
            "result": dict(step.result),
            "problem": _plain(step.problem),
        }
        where = (table.c.operation_id == operation_id) & (table.c.number == step.number)
        async with self._database.begin() as connection:
            if (await connection.execute(update(table).where(where).values(values))).rowcount == 0:
                row = {"operation_id": operation_id, "number": step.number, **values}
                await connection.execute(insert(table).values(row))

    async def holds_lock(self, record: OperationRecord) -> bool:
        """Whether that run still holds its subject's lock, with the token that it was given."""
        table = operation_locks
        query = select(table.c.token).where(
            table.c.subject == record.plan.subject, table.c.held.is_(True), table.c.run == record.id
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar() == record.token

    async def note_shared(self, number: int, file: str, at: datetime) -> None:
        """Write that the file of that name of a plan is in the thread of its card."""
        table = operation_files
        known = (table.c.operation_id == number) & (table.c.name == file)
        async with self._database.begin() as connection:
            if (await connection.execute(select(table.c.name).where(known))).first() is None:
                row = {"operation_id": number, "name": file, "shared_at": at}
                await connection.execute(insert(table).values(row))

    async def shared(self, number: int) -> frozenset[str]:
        """The names of the files of a plan that are in the thread of its card."""
        table = operation_files
        async with self._database.read() as connection:
            found = await connection.execute(select(table.c.name).where(table.c.operation_id == number))
            return frozenset(found.scalars())

    async def get(self, number: int) -> OperationRecord | None:
        """The operation of that number; None if there is none."""
        found = await self._select(operations.c.id == number, limit=1)
        return found[0] if found else None

    async def open(self) -> list[OperationRecord]:
        """Those that are not over, oldest first."""
        found = await self._select(operations.c.state.in_([state.value for state in OPEN]), limit=1000)
        return found[::-1]

    async def latest(self, limit: int, operation: str | None = None) -> list[OperationRecord]:
        """The latest operations, newest first."""
        where = operations.c.id > 0 if operation is None else operations.c.operation == operation
        return await self._select(where, limit)

    async def last_id(self) -> int:
        """The highest number of an operation ever given; 0 where there is none."""
        async with self._database.read() as connection:
            return int((await connection.execute(select(func.max(operations.c.id)))).scalar() or 0)

    async def _select(self, where: ColumnElement[bool], limit: int) -> list[OperationRecord]:
        query = select(operations).where(where).order_by(operations.c.id.desc()).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
            numbers = [row["id"] for row in rows]
            table = operation_steps
            steps: dict[int, list[StepRecord]] = {}
            if numbers:
                part = select(table).where(table.c.operation_id.in_(numbers)).order_by(table.c.number)
                for row in (await connection.execute(part)).mappings():
                    steps.setdefault(row["operation_id"], []).append(_step_of(row))
        return [_record_of(row, tuple(steps.get(row["id"], ()))) for row in rows]


def _values(record: OperationRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "operation": record.plan.operation,
        "subject": record.plan.subject,
        "request": dict(record.request),
        "plan": record.plan.as_json(),
        "plan_hash": record.plan_hash,
        "state": record.state.value,
        "channel": record.channel,
        "asked_by": record.asked_by,
        "asked_at": record.asked_at,
        "expires_at": record.expires_at,
        "decided_by": record.decided_by,
        "decided_at": record.decided_at,
        "reason": record.reason,
        "glass": record.glass,
    }


def _plain(value: object) -> object:
    return value.as_json() if isinstance(value, Problem) else value


def _problem_of(data: Mapping[str, object] | None) -> Problem | None:
    if data is None:
        return None
    values = data.get("values")
    return Problem(
        str(data["kind"]), str(data["reason"]), dict(values) if isinstance(values, Mapping) else {}
    )


def _step_of(row: RowMapping) -> StepRecord:
    return StepRecord(
        number=row["number"],
        state=StepState(row["state"]),
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        result=row["result"],
        problem=_problem_of(row["problem"]),
    )


def _record_of(row: RowMapping, steps: tuple[StepRecord, ...]) -> OperationRecord:
    return OperationRecord(
        id=row["id"],
        plan=plan_of(row["plan"]),
        plan_hash=row["plan_hash"],
        request=row["request"],
        state=State(row["state"]),
        channel=row["channel"],
        asked_by=row["asked_by"],
        asked_at=row["asked_at"],
        expires_at=row["expires_at"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        reason=row["reason"],
        glass=row["glass"],
        stopped_by=row["stopped_by"],
        held_by=row["held_by"],
        token=row["token"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        problem=_problem_of(row["problem"]),
        steps=steps,
    )
