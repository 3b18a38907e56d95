"""Deployments in the database, and what lives in which slot.

What a run changes is offered as `Also`: it is written with the end of the step that did it, so that a crash
leaves both or neither. A change of a deployment is guarded by its outcome: what is over stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, RowMapping, and_, delete, exists, func, insert, select, update

from bot.domain.deploy.record import DeploymentRecord, KeptRelease, Kind, Outcome, SlotRecord
from bot.domain.deploy.slots import Slot
from bot.store.also import Also, written
from bot.store.asynchronous import AsyncConnection
from bot.store.database import Database
from bot.store.deploy_tables import deployments, slots

_AT_ONCE = 10_000


class DeploymentStore:
    """Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def adding(self, record: DeploymentRecord) -> Also:
        """To write a new deployment (its `id` does not matter), if its operation has none yet."""

        async def also(connection: AsyncConnection) -> bool:
            there = select(deployments.c.id).where(deployments.c.operation_id == record.operation_id)
            if (await connection.execute(there)).first() is not None:
                return False
            values = {name: _plain(value) for name, value in asdict(record).items() if name != "id"}
            await connection.execute(insert(deployments).values(values))
            return True

        return also

    def moving(
        self,
        operation_id: int,
        after: Outcome | None = None,
        *,
        before: Iterable[Outcome] = (Outcome.RUNNING,),
        **values: object,
    ) -> Also:
        """To change fields of that operation's deployment, and its outcome if one is given, if its outcome is
        one of `before`. `traffic_at` and `failed_at` stay as they were first written: the first production
        traffic and the first decision to go back are the ones that count."""
        unknown = values.keys() - deployments.c.keys()
        if unknown:
            raise TypeError(f"no such fields: {', '.join(sorted(unknown))}")

        async def also(connection: AsyncConnection) -> bool:
            new: dict[str, object] = {name: _plain(value) for name, value in values.items()}
            for name in ("traffic_at", "failed_at"):
                if name in new:
                    new[name] = func.coalesce(deployments.c[name], new[name])
            if after is not None:
                new["outcome"] = after.value
            where = and_(
                deployments.c.operation_id == operation_id,
                deployments.c.outcome.in_([outcome.value for outcome in before]),
            )
            return (await connection.execute(update(deployments).where(where).values(new))).rowcount == 1

        return also

    def marking(self, operation_id: int, name: str, at: datetime) -> Also:
        """To write a moment (`traffic_at`, `restored_at`) of that operation's deployment. Not done if it has
        one already, or is over: what is told of that moment is told once."""
        column = deployments.c[name]

        async def also(connection: AsyncConnection) -> bool:
            where = and_(
                deployments.c.operation_id == operation_id,
                deployments.c.outcome == Outcome.RUNNING.value,
                column.is_(None),
            )
            return (
                await connection.execute(update(deployments).where(where).values({name: at}))
            ).rowcount == 1

        return also

    def placing(self, record: SlotRecord) -> Also:
        """To write what was put into a slot, instead of what was there."""

        async def also(connection: AsyncConnection) -> bool:
            where = _of_slot(record.service, record.environment, record.slot)
            await connection.execute(delete(slots).where(where))
            values = {name: _plain(value) for name, value in asdict(record).items()}
            await connection.execute(insert(slots).values(values))
            return True

        return also

    def emptying(self, service: str, environment: str, slot: Slot) -> Also:
        """To write that nothing is in a slot any more; one that is empty already stays so."""

        async def also(connection: AsyncConnection) -> bool:
            await connection.execute(delete(slots).where(_of_slot(service, environment, slot)))
            return True

        return also

    def living(self, service: str, environment: str, slot: Slot, at: datetime) -> Also:
        """To write that this slot carries production alone, and the other one nothing any more. Not done if
        nothing was put into it."""

        async def also(connection: AsyncConnection) -> bool:
            other = _of_slot(service, environment, slot.other)
            await connection.execute(update(slots).where(other).values(live_since=None))
            since = func.coalesce(slots.c.live_since, at)
            statement = update(slots).where(_of_slot(service, environment, slot)).values(live_since=since)
            return (await connection.execute(statement)).rowcount == 1

        return also

    async def write(self, also: Also) -> bool:
        """Write that by itself; whether it was."""
        return await written(self._database, also)

    async def get(self, number: int) -> DeploymentRecord | None:
        """The deployment of that id; None if there is none."""
        found = await self._select(deployments.c.id == number, limit=1)
        return found[0] if found else None

    async def of_operation(self, operation_id: int) -> DeploymentRecord | None:
        """The deployment of that operation; None if there is none."""
        found = await self._select(deployments.c.operation_id == operation_id, limit=1)
        return found[0] if found else None

    async def of_environment(self, service: str, environment: str, limit: int) -> list[DeploymentRecord]:
        """The latest deployments there, newest first."""
        return await self._select(_of(service, environment), limit)

    async def latest(
        self, service: str, environment: str, outcome: Outcome | None = None
    ) -> DeploymentRecord | None:
        """The latest one there, of those with that outcome if one is given; None if there is none."""
        where = _of(service, environment)
        if outcome is not None:
            where &= deployments.c.outcome == outcome.value
        found = await self._select(where, limit=1)
        return found[0] if found else None

    async def running(self) -> list[DeploymentRecord]:
        """Those that are not over, newest first."""
        return await self._select(deployments.c.outcome == Outcome.RUNNING.value, _AT_ONCE)

    async def since(
        self, moment: datetime, service: str | None = None, environment: str | None = None
    ) -> list[DeploymentRecord]:
        """Those that began then or later, newest first; 10,000 at most."""
        where = deployments.c.started_at >= moment
        if service is not None:
            where &= deployments.c.service == service
        if environment is not None:
            where &= deployments.c.environment == environment
        return await self._select(where, _AT_ONCE)

    async def kept(self, service: str, environment: str, limit: int) -> list[KeptRelease]:
        """The revisions that carried production there alone, each once, newest first."""
        table, later = deployments, deployments.alias("later")
        undoing = exists().where(
            later.c.undoes == table.c.id, later.c.outcome == Outcome.DONE.value
        )  # fmt: skip
        newest = (
            select(func.max(table.c.id))
            .where(_of(service, environment), table.c.outcome == Outcome.DONE.value)
            .group_by(table.c.revision)
        )
        query = (
            select(table, undoing.label("undone"))
            .where(table.c.id.in_(newest))
            .order_by(table.c.id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [
            KeptRelease(row["revision"], row["id"], row["ended_at"] or row["started_at"], bool(row["undone"]))
            for row in rows
        ]

    async def slots_of(self, service: str, environment: str) -> dict[Slot, SlotRecord]:
        """What was put into the slots there; one that is empty is missing."""
        where = and_(slots.c.service == service, slots.c.environment == environment)
        async with self._database.read() as connection:
            rows = (await connection.execute(select(slots).where(where))).mappings().all()
        return {Slot(row["slot"]): SlotRecord(**{**row, "slot": Slot(row["slot"])}) for row in rows}

    async def _select(self, where: ColumnElement[bool], limit: int) -> list[DeploymentRecord]:
        query = select(deployments).where(where).order_by(deployments.c.id.desc()).limit(limit)
        async with self._database.read() as connection:
            return [_record_of(row) for row in (await connection.execute(query)).mappings()]


def _of(service: str, environment: str) -> ColumnElement[bool]:
    return and_(deployments.c.service == service, deployments.c.environment == environment)


def _of_slot(service: str, environment: str, slot: Slot) -> ColumnElement[bool]:
    return and_(slots.c.service == service, slots.c.environment == environment, slots.c.slot == slot.value)


def _plain(value: object) -> object:
    return value.value if isinstance(value, StrEnum) else value


def _record_of(row: RowMapping) -> DeploymentRecord:
    kinds = {"kind": Kind(row["kind"]), "slot": Slot(row["slot"]), "outcome": Outcome(row["outcome"])}
    return DeploymentRecord(**{**row, **kinds})
