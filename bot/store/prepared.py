"""Statements that are executed with very many rows.

SQLAlchemy prepares the values of each row anew by a general way; for thousands of rows that takes longer than
the database does. Here the way is found once: which values in which order, and what makes each of them one
that the driver takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter

from sqlalchemy import JSON, Boolean, Insert, Table, Update, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.types import Float, TypeEngine

from bot.store.asynchronous import AsyncConnection
from bot.store.rows import Values
from bot.store.types import UtcDateTime

_Processor = Callable[[object], object]

_MOMENTS_KEPT = 1024
"""Rows that are written together share a few moments."""


class Prepared:
    """One statement, prepared for one kind of database."""

    def __init__(self, statement: Insert | Update, dialect: Dialect, names: Sequence[str]) -> None:
        """`names`: the statement's parameters in the order in which rows have their values."""
        filled = names if isinstance(statement, Insert) else None
        compiled = statement.compile(dialect=dialect, column_keys=filled)
        self._text = str(compiled)
        self._positional = bool(compiled.positional)
        order = compiled.positiontup if compiled.positional else list(compiled.binds)
        self._names = tuple(order or ())
        places = [names.index(name) for name in self._names]
        self._in_order = None if places == list(range(len(names))) else itemgetter(*places)
        made = (_processor(compiled.binds[name].type, dialect) for name in self._names)
        self._makers = [(index, make) for index, make in enumerate(made) if make is not None]

    async def execute(self, connection: AsyncConnection, rows: Sequence[Values]) -> int:
        """Execute it once for each row; how many rows of the table that touched."""
        parameters = [self._tuple(row) if self._positional else self._dict(row) for row in rows]
        return (await connection.exec_driver_sql(self._text, parameters)).rowcount

    def _tuple(self, row: Values) -> tuple[object, ...]:
        values = list(row if self._in_order is None else self._in_order(row))
        for index, make in self._makers:
            value = values[index]
            if value is not None:
                values[index] = make(value)
        return tuple(values)

    def _dict(self, row: Values) -> dict[str, object]:
        return dict(zip(self._names, self._tuple(row), strict=True))


def _processor(kind: TypeEngine[object], dialect: Dialect) -> _Processor | None:
    """What makes a value of that type one that the driver takes; None if it takes it as it is. NULL is always
    taken as it is: a JSON column that is empty has [] or {}."""
    if isinstance(kind, (Float, Boolean)):
        return None  # drivers take Python's numbers and truths as they are
    made = kind.dialect_impl(dialect).bind_processor(dialect)
    if made is not None and isinstance(kind, UtcDateTime):
        return lru_cache(_MOMENTS_KEPT)(made)
    if made is not None and isinstance(kind, JSON):
        empty, make = made([]), made  # what most lists are
        return lambda value: empty if value == () or value == [] else make(value)
    return made


@lru_cache(maxsize=64)
def inserting(table: Table, names: tuple[str, ...], dialect: Dialect) -> Prepared:
    """The INSERT into those columns of a table."""
    return Prepared(insert(table).inline(), dialect, names)
