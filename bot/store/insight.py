"""Changes, forecasts, what fired when, and small marks to remember, in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import RowMapping, delete, func, insert, select, update

from bot.domain.alerts.forecast import Forecast
from bot.domain.alerts.happenings import DEPLOYS, ChangeKind, Happening, is_canary
from bot.domain.alerts.model import Subject
from bot.domain.alerts.scoring import Foretold, Outcome, Score
from bot.domain.alerts.together import TIMES
from bot.store import tables
from bot.store.also import Also
from bot.store.asynchronous import AsyncConnection
from bot.store.database import Database

_AT_ONCE = 1000
_CANARY_LASTS = timedelta(days=7)
"""longer than anybody holds one"""


class InsightStore:
    """Writes and reads what is known beside the alerts. Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_change(self, change: Happening) -> Happening:
        """Write a change; it comes back with its number."""
        table = tables.changes
        async with self._database.begin() as connection:
            done = await connection.execute(insert(table).values(_values(change)).returning(table.c.id))
            return replace(change, id=done.scalar_one())

    def adding_change(self, change: Happening) -> Also:
        """To write a change together with what was changed."""

        async def also(connection: AsyncConnection) -> bool:
            await connection.execute(insert(tables.changes).values(_values(change)))
            return True

        return also

    async def changes(self, since: datetime, limit: int = 200) -> list[Happening]:
        """The latest changes since that moment, newest first."""
        table = tables.changes
        query = select(table).where(table.c.at >= since).order_by(table.c.at.desc(), table.c.id.desc())
        async with self._database.read() as connection:
            rows = await connection.execute(query.limit(limit))
            return [_change_of(row) for row in rows.mappings()]

    async def canaries(self, before: datetime) -> list[Happening]:
        """Of each service in each environment the last deployment that was told before that moment, if it
        shared the traffic then: nobody knows of its end yet, unless something later tells it."""
        table = tables.changes
        query = (
            select(table)
            .where(table.c.at < before, table.c.at >= before - _CANARY_LASTS, table.c.kind.in_(DEPLOYS))
            .order_by(table.c.at.desc(), table.c.id.desc())
        )
        found: dict[tuple[str, str], Happening] = {}
        async with self._database.read() as connection:
            for row in (await connection.execute(query)).mappings():
                change = _change_of(row)
                found.setdefault((change.service, change.environment), change)
        return [change for change in found.values() if is_canary(change)]

    async def add_forecast(self, subject: Subject, forecast: Forecast, rising: bool) -> bool:
        """Write a forecast about that subject; False, and nothing is written, while an earlier one of that
        level waits to be scored."""
        table = tables.forecasts
        values = {
            "key": subject.key,
            "metric": subject.metric,
            "target": subject.target,
            "rising": rising,
            "made_at": forecast.made_at,
            "bound": forecast.bound,
            "level": int(forecast.level),
            "reaches_at": forecast.reaches_at,
            "slope": forecast.slope,
            "z": forecast.z,
            "points": forecast.points,
        }
        same = (
            (table.c.key == subject.key)
            & (table.c.level == int(forecast.level))
            & table.c.scored_at.is_(None)
        )
        async with self._database.begin() as connection:
            if (await connection.execute(select(table.c.id).where(same))).first() is not None:
                return False
            await connection.execute(insert(table).values(values))
            return True

    async def foretold(self, now: datetime, limit: int = 100) -> list[Foretold]:
        """Forecasts that wait to be scored and whose time has come, the earliest first."""
        table = tables.forecasts
        query = (
            select(table)
            .where(table.c.scored_at.is_(None), table.c.reaches_at <= now)
            .order_by(table.c.reaches_at)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_foretold_of(row) for row in (await connection.execute(query)).mappings()]

    async def score_forecasts(self, scores: Sequence[tuple[int, Score]], now: datetime) -> None:
        """Write how these forecasts turned out."""
        table = tables.forecasts
        if not scores:
            return
        async with self._database.begin() as connection:
            for number, score in scores:
                await connection.execute(
                    update(table)
                    .where(table.c.id == number)
                    .values(
                        scored_at=now,
                        outcome=score.outcome.value if score.outcome else None,
                        error_seconds=score.error.total_seconds() if score.error is not None else None,
                        actual_at=score.actual_at,
                    )
                )

    async def outcomes(self, since: datetime) -> Mapping[Outcome, int]:
        """How the forecasts that were scored since then turned out; those that could not be told left out."""
        table = tables.forecasts
        query = (
            select(table.c.outcome, func.count())
            .where(table.c.scored_at >= since, table.c.outcome.is_not(None))
            .group_by(table.c.outcome)
        )
        async with self._database.read() as connection:
            return {Outcome(outcome): count for outcome, count in await connection.execute(query)}

    async def firings(self, since: datetime) -> list[tuple[str, datetime]]:
        """Dedupe key and moment of each alert that fired since then, of those that did five times or more."""
        table = tables.alerts
        often = (
            select(table.c.key)
            .where(table.c.fired_at >= since)
            .group_by(table.c.key)
            .having(func.count() >= TIMES)
        )
        query = (
            select(table.c.key, table.c.fired_at)
            .where(table.c.fired_at >= since, table.c.key.in_(often))
            .order_by(table.c.fired_at)
        )
        found: list[tuple[str, datetime]] = []
        async with self._database.read() as connection:
            async for part in (await connection.stream(query)).partitions(_AT_ONCE):
                found.extend((key, at) for key, at in part)
        return found

    async def mark(self, name: str) -> str | None:
        """What was remembered under that name; None if nothing was."""
        table = tables.marks
        async with self._database.read() as connection:
            found: str | None = (
                await connection.execute(select(table.c.value).where(table.c.name == name))
            ).scalar()
            return found

    async def set_mark(self, name: str, value: str) -> None:
        """Remember a value under a name."""
        table = tables.marks
        async with self._database.begin() as connection:
            await connection.execute(delete(table).where(table.c.name == name))
            await connection.execute(insert(table).values(name=name, value=value))

    async def prune(self, before: datetime) -> int:
        """Delete changes and scored forecasts from before that moment; how many."""
        changes, forecasts = tables.changes, tables.forecasts
        async with self._database.begin() as connection:
            statements = (
                delete(changes).where(changes.c.at < before),
                delete(forecasts).where(forecasts.c.scored_at < before),
            )
            return sum([(await connection.execute(statement)).rowcount for statement in statements])


def _values(change: Happening) -> dict[str, object]:
    return {
        "at": change.at,
        "kind": change.kind.value,
        "service": change.service,
        "environment": change.environment,
        "target": change.target,
        "title": change.title,
        "url": change.url,
        "by": change.by,
        "facts": dict(change.facts),
    }


def _change_of(row: RowMapping) -> Happening:
    return Happening(
        at=row["at"],
        kind=ChangeKind(row["kind"]),
        service=row["service"],
        environment=row["environment"],
        target=row["target"],
        title=row["title"],
        url=row["url"],
        by=row["by"],
        facts=MappingProxyType(dict(row["facts"])),
        id=row["id"],
    )


def _foretold_of(row: RowMapping) -> Foretold:
    return Foretold(
        id=row["id"],
        metric=row["metric"],
        target=row["target"],
        rising=row["rising"],
        bound=row["bound"],
        made_at=row["made_at"],
        reaches_at=row["reaches_at"],
    )
