"""Runs of decisions: in a storm thousands of alerts with numbers in a row have the same one, which the
database can write by itself in a tenth of the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Insert, func, insert, literal, select

from bot.store import tables
from bot.store.asynchronous import AsyncConnection
from bot.store.changes import DecisionMade
from bot.store.rows import DECISION_COLUMNS, Values, decision_row

_WORTH_IT = 20
"""alerts, for a statement of their own"""


@dataclass(slots=True)
class Run:
    """The same decision about all alerts from that of `first` to number `last`."""

    first: DecisionMade
    last: int

    def goes_on_with(self, decision: DecisionMade) -> bool:
        """Whether the next alert got the same."""
        return decision.alert_id == self.last + 1 and decision[1:] == self.first[1:]

    async def write(self, connection: AsyncConnection) -> None:
        """Write all of them. Raises LookupError where one of their alerts is not there."""
        count = select(func.count()).select_from(tables.alerts).where(self._theirs())
        there = (await connection.execute(count)).scalar()
        if there != self.last - self.first.alert_id + 1:
            raise LookupError(f"of the alerts {self.first.alert_id} to {self.last} only {there} are there")
        await connection.execute(self._statement())

    def _theirs(self) -> ColumnElement[bool]:
        return tables.alerts.c.id.between(self.first.alert_id, self.last)

    def _statement(self) -> Insert:
        alerts, decisions = tables.alerts, tables.decisions
        same = zip(DECISION_COLUMNS[1:], decision_row(self.first)[1:], strict=True)
        row = (alerts.c.id, *(literal(value, decisions.c[name].type).label(name) for name, value in same))
        return insert(decisions).from_select(
            DECISION_COLUMNS, select(*row).where(self._theirs()).order_by(alerts.c.id)
        )


class Runs:
    """Decisions that wait to be written, in their order."""

    def __init__(self) -> None:
        self._runs: list[Run] = []

    def take(self, decision: DecisionMade) -> None:
        """Add one."""
        if self._runs and self._runs[-1].goes_on_with(decision):
            self._runs[-1].last += 1
        else:
            self._runs.append(Run(decision, decision.alert_id))

    def pieces(self) -> Iterator[Run | list[Values]]:
        """All of them, as runs and, between those, as rows of DECISION_COLUMNS; there are none afterwards."""
        runs, self._runs = self._runs, []
        rows: list[Values] = []
        for run in runs:
            numbers = range(run.first.alert_id, run.last + 1)
            if len(numbers) < _WORTH_IT:
                rows += [decision_row(run.first._replace(alert_id=number)) for number in numbers]
                continue
            if rows:
                yield rows
                rows = []
            yield run
        if rows:
            yield rows
