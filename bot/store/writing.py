"""From changes to statements. Rows of one kind that come together go in together: a statement a row would
take five times as long."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.alerts.model import Alert, Status
from bot.domain.letters import LetterState
from bot.store import tables
from bot.store.changes import (
    Change,
    ChangedAlert,
    DecisionMade,
    DroppedAlert,
    LetterDead,
    LetterLeased,
    LetterReleased,
    LetterSent,
    LetterSuperseded,
    NewAlert,
    NewLetter,
    PageMade,
    StormSaved,
)
from bot.store.errors import Stale
from bot.store.prepared import Prepared, inserting
from bot.store.rows import Row, alert_row, card_row, decision_row, letter_row, page_row, storm_row

_CHANGE = (
    update(tables.alerts)
    .where(
        tables.alerts.c.id == bindparam("expected_id"),
        tables.alerts.c.version == bindparam("expected_version"),
    )
    .values({name: bindparam(name) for name in tables.alerts.c.keys()})
)
_AT_ONCE = 500
"""Rows that are made before they are written: ten thousand at once would take memory that stays taken."""


@lru_cache(maxsize=16)
def _changing(dialect: Dialect) -> Prepared:
    return Prepared(_CHANGE, dialect)


async def write_all(connection: AsyncConnection, changes: Sequence[Change]) -> None:
    """Write `changes`. Raises Stale when an alert is no longer at the version that a change expects."""
    rows = _Rows(connection)
    for change in changes:
        match change:
            case ChangedAlert(alert, expected):
                await rows.change(alert, expected)
            case NewAlert(alert):
                await rows.add(tables.alerts, alert_row(alert))
            case DecisionMade():
                await rows.add(tables.decisions, decision_row(change))
            case NewLetter(letter):
                await rows.add(tables.letters, letter_row(letter))
            case PageMade():
                await rows.add(tables.pages, page_row(change))
            case _:
                # These may be about rows that wait to be written.
                await rows.flush()
                await _apply(connection, change)
    await rows.flush()


class _Rows:
    """Rows that wait to be written, by table; alerts go first, because decisions and pages refer to them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._waiting: dict[Table, list[Row]] = {
            table: [] for table in (tables.alerts, tables.decisions, tables.pages, tables.letters)
        }
        self._changed: dict[int, Row] = {}
        self._count = 0

    async def change(self, alert: Alert, expected: int) -> None:
        """Let a change of an alert wait. Two of one alert are two statements: the second expects the first;
        and so is a change of a row that waits itself."""
        if alert.id in self._changed or self._waiting[tables.alerts]:
            await self.flush()
        self._changed[alert.id] = {**alert_row(alert), "expected_id": alert.id, "expected_version": expected}
        await self._one_more()

    async def add(self, table: Table, row: Row) -> None:
        """Let a row wait, or write all that wait when they are many."""
        if table is tables.alerts and self._changed:
            await self.flush()  # a key that an older alert gives up may be taken by a new one
        self._waiting[table].append(row)
        await self._one_more()

    async def flush(self) -> None:
        """Write all rows that wait."""
        if not self._count:
            return
        await self._write_changed()
        for table, rows in self._waiting.items():
            if rows:
                adding = inserting(table, tuple(rows[0]), self._connection.dialect)
                await adding.execute(self._connection, rows)
                rows.clear()
        self._count = 0

    async def _one_more(self) -> None:
        self._count += 1
        if self._count >= _AT_ONCE:
            await self.flush()

    async def _write_changed(self) -> None:
        changed, self._changed = self._changed, {}
        if not changed:
            return
        change = _changing(self._connection.dialect)
        if await change.execute(self._connection, list(changed.values())) == len(changed):
            return
        alerts = tables.alerts
        query = select(alerts.c.id, alerts.c.version).where(alerts.c.id.in_(changed))
        written = {number: version for number, version in await self._connection.execute(query)}
        stale = [number for number, row in changed.items() if written.get(number) != row["version"]]
        # Where all are at the version that they were to get, not all of them got there by this statement.
        raise Stale(stale or list(changed))


async def _apply(connection: AsyncConnection, change: Change) -> None:
    alerts = tables.alerts
    match change:
        case DroppedAlert(alert_id):
            await connection.execute(
                delete(alerts).where(alerts.c.id == alert_id, alerts.c.status == Status.PENDING.value)
            )
        case StormSaved(storm):
            storms = tables.storms
            await connection.execute(delete(storms).where(storms.c.id == storm.id))
            await connection.execute(insert(storms).values(storm_row(storm)))
        case LetterSent(letter_id, at, ts, card):
            await _mark(connection, letter_id, state=LetterState.SENT.value, sent_at=at, ts=ts)
            if card is not None:
                cards = tables.cards
                await connection.execute(delete(cards).where(cards.c.stream == card.stream))
                await connection.execute(insert(cards).values(card_row(card)))
        case LetterLeased(letter_id, attempts, until):
            await _mark(connection, letter_id, attempts=attempts, leased_until=until)
        case LetterReleased(letter_id, error):
            await _mark(connection, letter_id, leased_until=None, error=error)
        case LetterSuperseded(letter_id):
            await _mark(connection, letter_id, state=LetterState.SUPERSEDED.value)
        case LetterDead(letter_id, at, error):
            await _mark(connection, letter_id, state=LetterState.DEAD.value, sent_at=at, error=error)


async def _mark(connection: AsyncConnection, letter_id: int, **values: object) -> None:
    await connection.execute(update(tables.letters).where(tables.letters.c.id == letter_id).values(**values))
