"""The audit log in the database: added to, read, and never changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, LargeBinary, Row, Select, cast, func, insert, or_, select, text

from bot.domain.audit import EMPTY, Deed, Entry, Head, sealed
from bot.store import tables
from bot.store.also import Also, NotDone
from bot.store.asynchronous import AsyncConnection
from bot.store.database import Database

_TABLE = tables.audit
_TEXTS = ("at", "actor", "action", "subject", "plan", "outcome", "detail", "previous", "hash")
_SEARCHED = (_TABLE.c.actor, _TABLE.c.action, _TABLE.c.subject, _TABLE.c.outcome)
_NO_CODES: Mapping[str, Collection[str]] = {}
_AT_ONCE = 1000
"""Entries that are read at once: some 500 kB."""


class AuditStore:
    """Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, deeds: Sequence[Deed], also: Also | None = None) -> list[Entry]:
        """Write those deeds down in one transaction, in their order; the entries that they became. `also`:
        what was done, written in the same transaction. Raises NotDone, and nothing is written, if it was not.
        """
        entries: list[Entry] = []
        async with self._database.begin() as connection:
            if also is not None and not await also(connection):
                raise NotDone
            if not self._database.is_sqlite:
                # SQLite has one writer anyway. Here nobody else, whoever that is, adds an entry meanwhile.
                await connection.execute(text("LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE"))
            head = await self._head(connection)
            for deed in deeds:
                entry = sealed(deed, head)
                head = Head(entry.number, entry.hash)
                entries.append(entry)
            if entries:
                await connection.execute(insert(_TABLE), list(map(_row_of, entries)))
        return entries

    async def head(self) -> Head:
        """How far the log goes."""
        async with self._database.read() as connection:
            return await self._head(connection)

    async def count(self) -> int:
        """How many entries there are."""
        async with self._database.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(_TABLE))).scalar_one())

    async def latest(
        self,
        limit: int,
        words: Sequence[str] = (),
        before: int | None = None,
        codes: Mapping[str, Collection[str]] = _NO_CODES,
    ) -> list[Entry]:
        """The latest entries, newest first, of which each of the words is a part of the actor, the action,
        the subject or the outcome, whatever the case, or has a code (`codes`) that is the actor, the action,
        the outcome or one of the details. `before`: only those with a lower number."""
        query = self._entries().order_by(_TABLE.c.number.desc()).limit(limit)
        for word in words:
            query = query.where(or_(*_describes(word, codes.get(word, ()))))
        if before is not None:
            query = query.where(_TABLE.c.number < before)
        async with self._database.read() as connection:
            return [_entry_of(row) for row in await connection.execute(query)]

    async def after(self, number: int, limit: int) -> list[Entry]:
        """The first entries behind that one, by number, at most `limit`."""
        query = self._entries().where(_TABLE.c.number > number).order_by(_TABLE.c.number).limit(limit)
        async with self._database.read() as connection:
            return [_entry_of(row) for row in await connection.execute(query)]

    async def entries(self, since: str | None = None, until: str | None = None) -> AsyncIterator[Entry]:
        """All entries by number, as they are at one moment, however many: a thousand at a time are in memory.
        `since` and `until` (`bot.domain.audit.moment_text`): only those of `at` from the one until before the
        other.
        """
        query = self._entries().order_by(_TABLE.c.number).limit(_AT_ONCE)
        if since is not None:
            query = query.where(_TABLE.c.at >= since)
        if until is not None:
            query = query.where(_TABLE.c.at < until)
        async with self._database.read() as connection:
            part = query
            while rows := (await connection.execute(part)).all():
                for row in rows:
                    yield _entry_of(row)
                part = query.where(_TABLE.c.number > rows[-1].number)

    def _entries(self) -> Select[tuple[object, ...]]:
        return select(_TABLE.c.number, *map(self._text, _TEXTS))

    def _text(self, name: str) -> ColumnElement[str] | ColumnElement[bytes]:
        column = _TABLE.c[name]
        # In a SQLite file that somebody edited may stand what is no UTF-8, at which the driver would give up.
        return cast(column, LargeBinary).label(name) if self._database.is_sqlite else column

    async def _head(self, connection: AsyncConnection) -> Head:
        query = select(_TABLE.c.number, self._text("hash")).order_by(_TABLE.c.number.desc()).limit(1)
        row = (await connection.execute(query)).first()
        return EMPTY if row is None else Head(row[0], _read(row[1]) or "")


def _describes(word: str, codes: Collection[str]) -> Iterator[ColumnElement[bool]]:
    for column in _SEARCHED:
        yield column.icontains(word, autoescape=True)
    if codes:
        for column in (_TABLE.c.actor, _TABLE.c.action, _TABLE.c.outcome):
            yield column.in_(sorted(codes))
    for code in codes:
        # As `detail_text` writes a value.
        yield _TABLE.c.detail.contains(f':"{code}"', autoescape=True)


def _row_of(entry: Entry) -> dict[str, int | str | None]:
    return {name: getattr(entry, name) for name in ("number", *_TEXTS)}


def _entry_of(row: Row[tuple[object, ...]]) -> Entry:
    at, actor, action, subject, plan, outcome, detail, previous, own = map(_read, row[1:])
    # Only `plan` can be NULL; what else is, nobody but a hand without the table's own rules has made so.
    texts = (each or "" for each in (outcome, detail, previous, own))
    return Entry(int(str(row[0])), at or "", actor or "", action or "", subject or "", plan, *texts)


def _read(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return None if value is None else str(value)
