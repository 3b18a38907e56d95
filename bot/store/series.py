"""The history of one series, for charts and trends."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from bot.store import tables
from bot.store.database import Database


class SeriesStore:
    """Reads what was measured. Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def series(
        self, metric: str, target: str, since: datetime, at_most: int | None = None
    ) -> list[tuple[datetime, float | None]]:
        """The readings of one series since that moment, oldest first; None is a check without a value.

        With `at_most`, evenly chosen ones, not more than that, and the newest always among them.
        """
        table = tables.readings
        newest_first = (table.c.at.desc(), table.c.id.desc())
        query = (
            select(
                table.c.at,
                table.c.value,
                table.c.id,
                (func.row_number().over(order_by=newest_first) - 1).label("place"),
                func.count().over().label("total"),
            )
            .where(table.c.metric == metric, table.c.target == target, table.c.at >= since)
            .subquery()
        )
        chosen = select(query.c.at, query.c.value).order_by(query.c.at, query.c.id)
        if at_most is not None:
            # Whole steps from the newest on, rounded up.
            step = (query.c.total + (at_most - 1)) // at_most
            chosen = chosen.where(query.c.place % step == 0)
        async with self._database.read() as connection:
            return [(at, value) for at, value in await connection.execute(chosen)]
