"""Whether alerts were right, as people say, and what alerts have cost: for accuracy and noise."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, and_, case, delete, func, insert, select

from bot.domain.alerts.model import Condition
from bot.domain.alerts.noise import Accuracy, Fired, hints_due
from bot.store import tables
from bot.store.asynchronous import AsyncConnection
from bot.store.database import Database
from probes.base import Layer

NO_DATA = "no_data"
"""The rule of all alerts about missing data."""
_AT_ONCE = 1000
"""Rows that are made into values at once: a hundred thousand would hold everybody else up for a second."""


def rule_name(condition: Condition, metric: str, title: str) -> str:
    """The rule that an alert is counted under: its metric, or what it calls itself if another system or a job
    reported it."""
    if condition is Condition.NO_DATA:
        return NO_DATA
    titled = condition not in (
        Condition.THRESHOLD,
        Condition.FAILED_RUN,
    )  # each failed run has a title of its own
    return title if titled and title else metric


@dataclass(frozen=True, slots=True)
class Past:
    """An alert that fired, and where its rule is found."""

    fired: Fired
    condition: Condition
    metric: str
    target: str
    layer: Layer


@dataclass(frozen=True, slots=True)
class Rated:
    """All ratings of a rule once one more is written, and whether a tuning hint is due with it."""

    ratings: Accuracy
    hint: bool


class RatingStore:
    """Writes ratings, and reads what they are about. Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rate(self, alert_id: int, user: str, rule: str, useful: bool, at: datetime) -> Rated:
        """Write what somebody says about an alert: of one person's the latest counts. A hint is due once for
        every fifth 👎 of the rule, whoever gives it."""
        ratings, marks = tables.ratings, tables.marks
        mark = f"hint:{rule}"
        async with self._database.begin() as connection:
            await connection.execute(
                delete(ratings).where(ratings.c.alert_id == alert_id, ratings.c.user == user)
            )
            await connection.execute(
                insert(ratings).values(alert_id=alert_id, user=user, rule=rule, useful=useful, at=at)
            )
            query = (
                select(ratings.c.useful, func.count())
                .where(ratings.c.rule == rule)
                .group_by(ratings.c.useful)
            )
            counted: dict[bool, int] = {which: count for which, count in await connection.execute(query)}
            found = Accuracy(counted.get(True, 0), counted.get(False, 0))
            told = (await connection.execute(select(marks.c.value).where(marks.c.name == mark))).scalar()
            due = None if useful else hints_due(found.useless, int(told or 0))
            if due is not None:
                await connection.execute(delete(marks).where(marks.c.name == mark))
                await connection.execute(insert(marks).values(name=mark, value=str(due)))
            return Rated(found, due is not None)

    async def past(self, since: datetime) -> list[Past]:
        """Every alert that fired since that moment and that people were told of, with its ratings, the
        earliest first."""
        alerts, ratings = tables.alerts, tables.ratings
        said = (
            select(
                ratings.c.alert_id,
                func.sum(case((ratings.c.useful, 1), else_=0)).label("useful"),
                func.sum(case((ratings.c.useful, 0), else_=1)).label("useless"),
            )
            .group_by(ratings.c.alert_id)
            .subquery()
        )
        columns = (
            alerts.c[name]
            for name in (
                "id condition metric target layer unit title pages peak fired_at resolved_at acked_at seen_by"
            ).split()
        )
        query = (
            select(*columns, said.c.useful, said.c.useless)
            .select_from(alerts.outerjoin(said, and_(said.c.alert_id == alerts.c.id)))
            .where(alerts.c.fired_at >= since, alerts.c.carded)
            .order_by(alerts.c.fired_at, alerts.c.id)
        )
        past: list[Past] = []
        async with self._database.read() as connection:
            shares = await _shares(connection, since)
            rows = (await connection.stream(query)).mappings()
            async for part in rows.partitions(_AT_ONCE):
                past.extend(_past_of(row, shares.get(row["id"], row["pages"] or 0)) for row in part)
        return past


async def _shares(connection: AsyncConnection, since: datetime) -> dict[int, float]:
    """What each alert that a storm gathers has of its calls: one message may call for hundreds at once."""
    alerts, pages = tables.alerts, tables.pages
    query = (
        select(pages.c.alert_id, alerts.c.storm, pages.c.at, pages.c.recipients)
        .select_from(pages.join(alerts, pages.c.alert_id == alerts.c.id))
        .where(alerts.c.fired_at >= since, alerts.c.storm.is_not(None))
    )
    messages: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    async for part in (await connection.stream(query)).partitions(_AT_ONCE):
        for number, storm, at, recipients in part:
            messages[storm, at, tuple(map(tuple, recipients))].append(number)
    shares: defaultdict[int, float] = defaultdict(float)
    for numbers in messages.values():
        for number in numbers:
            shares[number] += 1 / len(numbers)
    return shares


def _past_of(row: RowMapping, pages: float) -> Past:
    condition = Condition(row["condition"])
    over = row["resolved_at"]
    fired = Fired(
        rule=rule_name(condition, row["metric"], row["title"] or ""),
        unit=row["unit"],
        pages=pages,
        duration=None if over is None else over - row["fired_at"],
        seen=row["acked_at"] is not None or bool(row["seen_by"]),
        acked=row["acked_at"] is not None,
        peak=row["peak"] if condition is Condition.THRESHOLD else None,
        useful=row["useful"] or 0,
        useless=row["useless"] or 0,
    )
    return Past(fired, condition, row["metric"], row["target"], Layer(row["layer"]))
