"""The store: one place that writes changes and answers questions about alerts, letters and readings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, String, cast, delete, func, insert, literal, select

from bot.domain.alerts.model import Alert, Status
from bot.domain.alerts.storm import Storm
from bot.domain.letters import Card, Letter, LetterState
from bot.domain.levels import Level
from bot.store import tables
from bot.store.changes import Change, DecisionMade, PageMade
from bot.store.database import Database
from bot.store.rows import alert_of, card_of, decision_of, letter_of, page_of, storm_of
from bot.store.writing import write_all
from probes.base import Reading

_OPEN = (Status.FIRING.value, Status.ACKED.value)
_LIVE = (Status.PENDING.value, *_OPEN)


_ALERTS = select(tables.alerts, tables.policies.c.text.label("policy_text")).outerjoin_from(
    tables.alerts, tables.policies, tables.alerts.c.policy == tables.policies.c.key
)
"""What an alert is made of."""


class Store:
    """Everything Guardian remembers. Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._policies: frozenset[str] = frozenset()
        """the keys of policies that are known to be there"""

    async def write(self, changes: Sequence[Change]) -> None:
        """Write all of `changes` in one transaction, or none.

        Raises Stale when an alert is no longer at the version that a change expects.
        """
        if not changes:
            return
        known, self._policies = self._policies, frozenset()
        async with self._database.begin() as connection:
            written = await write_all(connection, changes, known)
        # Only now: after an error another database may be there, which doesn't have them.
        self._policies = written

    async def live_alerts(self, resolved_since: datetime) -> list[Alert]:
        """Alerts that are pending or open, and those resolved since a moment: all that can still move."""
        table = tables.alerts
        live = table.c.status.in_(_LIVE) | _resolved_since(resolved_since)
        async with self._database.read() as connection:
            rows = await connection.execute(_ALERTS.where(live).order_by(table.c.id))
            return [alert_of(row) for row in rows.mappings()]

    async def recent_alerts(self, limit: int) -> list[Alert]:
        """The latest alerts that people have been told of, open or over, newest first."""
        table = tables.alerts
        query = _ALERTS.where(table.c.status != Status.PENDING.value).order_by(table.c.id.desc())
        async with self._database.read() as connection:
            rows = await connection.execute(query.limit(limit))
            return [alert_of(row) for row in rows.mappings()]

    async def recent_matching(
        self, limit: int, matches: Callable[[Mapping[str, str], Level], bool], looked_at: int
    ) -> list[Alert]:
        """The latest alerts that people have been told of and whose labels and level match, newest first.
        Only the latest `looked_at` are looked at. `status` is among the labels."""
        table = tables.alerts
        columns = (table.c.id, table.c.level, table.c.status, table.c.labels)
        query = select(*columns).where(table.c.status != Status.PENDING.value).order_by(table.c.id.desc())
        found: list[int] = []
        async with self._database.read() as connection:
            for number, level, status, labels in await connection.execute(query.limit(looked_at)):
                if matches({**labels, "status": status}, Level(level)):
                    found.append(number)
                    if len(found) == limit:
                        break
            rows = await connection.execute(_ALERTS.where(table.c.id.in_(found)).order_by(table.c.id.desc()))
            return [alert_of(row) for row in rows.mappings()]

    async def alert(self, alert_id: int) -> Alert | None:
        """The alert with that id; None if there is none."""
        async with self._database.read() as connection:
            row = (await connection.execute(_ALERTS.where(tables.alerts.c.id == alert_id))).mappings().first()
            return None if row is None else alert_of(row)

    async def decisions(self, alert_id: int, limit: int) -> list[DecisionMade]:
        """The latest decisions about an alert, oldest first."""
        table = tables.decisions
        query = select(table).where(table.c.alert_id == alert_id).order_by(table.c.id.desc()).limit(limit)
        async with self._database.read() as connection:
            rows = await connection.execute(query)
            return [decision_of(row) for row in rows.mappings()][::-1]

    async def decision_count(self, alert_id: int) -> int:
        """How many decisions about an alert there are."""
        table = tables.decisions
        query = select(func.count()).select_from(table).where(table.c.alert_id == alert_id)
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar() or 0)

    async def pages(self, alert_id: int) -> list[PageMade]:
        """Every page about an alert, oldest first."""
        table = tables.pages
        query = select(table).where(table.c.alert_id == alert_id).order_by(table.c.at)
        async with self._database.read() as connection:
            return [page_of(row) for row in (await connection.execute(query)).mappings()]

    async def storms(self, ended_since: datetime) -> list[Storm]:
        """Storms that go on, those that ended since a moment, and those with alerts that can still move,
        oldest first."""
        table, alerts = tables.storms, tables.alerts
        lately = table.c.ended_at.is_(None) | (table.c.ended_at >= ended_since)
        gathers = table.c.id.in_(
            select(alerts.c.storm).where(
                alerts.c.storm.is_not(None), alerts.c.status.in_(_LIVE) | _resolved_since(ended_since)
            )
        )
        async with self._database.read() as connection:
            rows = await connection.execute(select(table).where(lately | gathers).order_by(table.c.id))
            return [storm_of(row) for row in rows.mappings()]

    async def last_storm(self) -> int:
        """The highest number of a storm ever given; 0 where there was none."""
        async with self._database.read() as connection:
            return int((await connection.execute(select(func.max(tables.storms.c.id)))).scalar() or 0)

    async def queued_letters(self) -> list[Letter]:
        """All letters that Slack has not taken yet, in the order of their ids."""
        table = tables.letters
        query = select(table).where(table.c.state == LetterState.QUEUED.value).order_by(table.c.id)
        async with self._database.read() as connection:
            rows = await connection.execute(query)
            return [letter_of(row) for row in rows.mappings()]

    async def dead_letters(self, since: datetime) -> list[datetime]:
        """When letters were given up since that moment, oldest first."""
        table = tables.letters
        query = (
            select(table.c.sent_at)
            .where(table.c.state == LetterState.DEAD.value, table.c.sent_at >= since)
            .order_by(table.c.sent_at)
        )
        async with self._database.read() as connection:
            return [moment for (moment,) in await connection.execute(query)]

    async def cards(self, streams: Iterable[str]) -> dict[str, Card]:
        """Where the cards of those streams are; a stream without one is left out."""
        wanted = list(streams)
        found: dict[str, Card] = {}
        async with self._database.read() as connection:
            # SQLite takes a limited number of variables in one statement.
            for start in range(0, len(wanted), 500):
                part = wanted[start : start + 500]
                rows = await connection.execute(select(tables.cards).where(tables.cards.c.stream.in_(part)))
                found.update((row["stream"], card_of(row)) for row in rows.mappings())
        return found

    async def stream_at(self, channel_id: str, ts: str) -> str | None:
        """The stream whose card is that message; None when it is nobody's card."""
        table = tables.cards
        query = select(table.c.stream).where(table.c.channel_id == channel_id, table.c.ts == ts)
        async with self._database.read() as connection:
            stream: str | None = (await connection.execute(query)).scalar()
            return stream

    async def last_ids(self) -> tuple[int, int]:
        """The highest alert id and the highest letter id ever given; 0 where there is none."""
        async with self._database.read() as connection:
            alert = (await connection.execute(select(func.max(tables.alerts.c.id)))).scalar()
            letter = (await connection.execute(select(func.max(tables.letters.c.id)))).scalar()
            return int(alert or 0), int(letter or 0)

    async def add_readings(self, readings: Sequence[tuple[str, Reading]]) -> None:
        """Add to the history; each reading comes with the identity of its source."""
        if not readings:
            return
        rows = [
            {
                "at": reading.at,
                "source": source,
                "metric": reading.metric,
                "target": reading.target,
                "value": reading.value,
                "unit": reading.unit.value,
                "problem_kind": reading.problem.kind.value if reading.problem else None,
            }
            for source, reading in readings
        ]
        async with self._database.begin() as connection:
            await connection.execute(insert(tables.readings), rows)

    async def prune(self, readings_before: datetime, rest_before: datetime) -> int:
        """Delete readings older than the one moment, and letters that are done with, alerts that are over
        (with their decisions) and cards that nobody edits any more older than the other.

        Returns the number of rows deleted, decisions not counted.
        """
        letters, alerts, cards, storms = tables.letters, tables.alerts, tables.cards, tables.storms
        streams = select(literal("alert:") + cast(alerts.c.id, String))
        storm_streams = select(literal("storm:") + cast(storms.c.id, String))
        gathering = select(alerts.c.storm).where(alerts.c.storm.is_not(None))
        statements = (
            delete(tables.readings).where(tables.readings.c.at < readings_before),
            delete(letters).where(
                letters.c.state != LetterState.QUEUED.value, letters.c.created_at < rest_before
            ),
            delete(alerts).where(
                alerts.c.status == Status.RESOLVED.value, alerts.c.resolved_at < rest_before
            ),
            delete(storms).where(storms.c.ended_at < rest_before, storms.c.id.not_in(gathering)),
            delete(cards).where(
                cards.c.posted_at < rest_before,
                cards.c.stream.not_in(streams),
                cards.c.stream.not_in(storm_streams),
            ),
        )
        async with self._database.begin() as connection:
            return sum([(await connection.execute(statement)).rowcount for statement in statements])

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()


def _resolved_since(moment: datetime) -> ColumnElement[bool]:
    """Of the alerts, those that are over since then at most."""
    table = tables.alerts
    return (table.c.status == Status.RESOLVED.value) & (table.c.resolved_at >= moment)
