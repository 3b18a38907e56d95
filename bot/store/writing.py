"""From changes to statements. Rows of one kind that come together go in together: a statement a row would
take five times as long."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from functools import lru_cache

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import IntegrityError

from bot.domain.alerts.model import Alert, Status
from bot.domain.letters import LetterState
from bot.store import tables
from bot.store.asynchronous import AsyncConnection
from bot.store.changes import (
    CardLost,
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
from bot.store.policies import kept_policy
from bot.store.prepared import Prepared, inserting
from bot.store.rows import (
    ALERT_COLUMNS,
    DECISION_COLUMNS,
    LETTER_COLUMNS,
    PAGE_COLUMNS,
    Values,
    alert_row,
    card_row,
    letter_row,
    page_row,
    storm_row,
)
from bot.store.runs import Runs

_CHANGE = (
    update(tables.alerts)
    .where(
        tables.alerts.c.id == bindparam("expected_id"),
        tables.alerts.c.version == bindparam("expected_version"),
    )
    .values({name: bindparam(name) for name in tables.alerts.c.keys()})
)
_VERSION = ALERT_COLUMNS.index("version")
_AT_ONCE = 2_000
"""Changes whose rows are made before they are written: ten thousand at once would take memory that stays
taken."""


@lru_cache(maxsize=16)
def _changing(dialect: Dialect) -> Prepared:
    return Prepared(_CHANGE, dialect, (*ALERT_COLUMNS, "expected_id", "expected_version"))


async def write_all(
    connection: AsyncConnection, changes: Sequence[Change], policies: Collection[str] = ()
) -> frozenset[str]:
    """Write `changes`. `policies` are the keys of those that are there for certain; returns the keys of all
    that are known to be there afterwards, if this is committed.

    Raises Stale when an alert is no longer at the version that a change expects.
    """
    rows = _Rows(connection, policies)
    for change in changes:
        if not rows.take(change):
            await rows.flush()
            if not rows.take(change):
                await _apply(connection, change)
    await rows.flush()
    return frozenset(rows.policies)


class _Rows:
    """Rows that wait to be written, by table; alerts go first, because decisions and pages refer to them."""

    def __init__(self, connection: AsyncConnection, policies: Collection[str]) -> None:
        self.policies = set(policies)
        self._connection = connection
        self._new_policies: dict[str, str] = {}
        self._changed: dict[int, Values] = {}
        self._alerts: list[Values] = []
        self._runs = Runs()
        self._pages: list[Values] = []
        self._letters: list[Values] = []
        self._count = 0

    def take(self, change: Change) -> bool:
        """Let a change wait if it can be written along with what waits already; whether it can."""
        if self._count >= _AT_ONCE:
            return False
        match change:
            case NewAlert(alert):
                if self._changed:
                    return False  # a key that an older alert gives up may be taken by a new one
                self._alerts.append(self._alert_row(alert))
            case ChangedAlert(alert, expected):
                # Two of one alert are two statements, because the second expects the first; and so is a
                # change of a row that waits itself.
                if self._alerts or alert.id in self._changed:
                    return False
                self._changed[alert.id] = (*self._alert_row(alert), alert.id, expected)
            case DecisionMade():
                self._runs.take(change)
            case PageMade():
                self._pages.append(page_row(change))
            case NewLetter(letter):
                self._letters.append(letter_row(letter))
            case _:
                return False  # it may be about rows that wait
        self._count += 1
        return True

    async def flush(self) -> None:
        """Write all rows that wait."""
        if not self._count:
            return
        await self._write_policies()
        await self._write_changed()
        await self._write(tables.alerts, ALERT_COLUMNS, self._alerts)
        for piece in self._runs.pieces():
            if isinstance(piece, list):
                await self._write(tables.decisions, DECISION_COLUMNS, piece)
            else:
                await piece.write(self._connection)
        await self._write(tables.pages, PAGE_COLUMNS, self._pages)
        await self._write(tables.letters, LETTER_COLUMNS, self._letters)
        self._count = 0

    async def _write(self, table: Table, columns: tuple[str, ...], rows: list[Values]) -> None:
        if rows:
            await inserting(table, columns, self._connection.dialect).execute(self._connection, rows)
            rows.clear()

    def _alert_row(self, alert: Alert) -> Values:
        if alert.policy is not None:
            key, text = kept_policy(alert.policy)
            if key not in self.policies:
                self._new_policies[key] = text
        return alert_row(alert)

    async def _write_policies(self) -> None:
        new, self._new_policies = self._new_policies, {}
        if not new:
            return
        policies = tables.policies
        query = select(policies.c.key).where(policies.c.key.in_(new))
        there = set((await self._connection.execute(query)).scalars())
        for key, text in new.items():
            if key not in there:
                with contextlib.suppress(IntegrityError):  # another one was first
                    async with self._connection.begin_nested():
                        await self._connection.execute(insert(policies).values(key=key, text=text))
        self.policies |= new.keys()

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
        stale = [number for number, row in changed.items() if written.get(number) != row[_VERSION]]
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
        case CardLost(stream, ts):
            cards = tables.cards
            await connection.execute(delete(cards).where(cards.c.stream == stream, cards.c.ts == ts))
        case LetterLeased(letter_id, attempts, until):
            await _mark(connection, letter_id, attempts=attempts, leased_until=until)
        case LetterReleased(letter_id, error):
            await _mark(connection, letter_id, leased_until=None, error=error)
        case LetterSuperseded(letter_id):
            await _mark(connection, letter_id, state=LetterState.SUPERSEDED.value)
        case LetterDead(letter_id, at, error):
            await _mark(connection, letter_id, state=LetterState.DEAD.value, sent_at=at, error=error)
        case _:
            raise TypeError(f"no change that is written by itself: {change!r}")


async def _mark(connection: AsyncConnection, letter_id: int, **values: object) -> None:
    await connection.execute(update(tables.letters).where(tables.letters.c.id == letter_id).values(**values))
