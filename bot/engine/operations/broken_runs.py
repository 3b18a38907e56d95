"""A damaged file of runs: how it is known, and how it is put aside."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BESIDE = ("", "-wal", "-shm", "-journal")
_LONGEST = 200


def file_of(url: str) -> Path | None:
    """The file that the database of that address is; None where it is none."""
    found = make_url(url)
    return Path(found.database) if found.get_backend_name() == "sqlite" and found.database else None


def is_damaged(error: BaseException) -> bool:
    """Whether SQLite found that the file is not what it should be; a disk that is full or a file that may not
    be opened is no damage."""
    # Extended codes have the code itself in their lowest byte.
    return any(
        isinstance(each, sqlite3.DatabaseError) and getattr(each, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
        for each in _causes(error)
    )


def sentence_of(error: BaseException) -> str:
    """What is at the bottom of it, for people: no statement, which may hold what a step was given."""
    *_, deepest = _causes(error)
    lines = str(deepest).strip().splitlines()
    return (lines[0] if lines else type(deepest).__name__)[:_LONGEST]


def put_aside(file: Path, at: datetime) -> Path:
    """Rename the file, and what SQLite keeps beside it, to a name with the time that nothing has; that name.
    Raises OSError."""
    stamp = f"{file.name}.broken-{at:%Y%m%dT%H%M%SZ}"
    name, number = stamp, 1
    while any(os.path.lexists(file.with_name(name + end)) for end in _BESIDE):
        number += 1
        name = f"{stamp}-{number}"
    # The file itself last: as long as it is there, it is found broken once more.
    for end in reversed(_BESIDE):
        beside = file.with_name(file.name + end)
        if os.path.lexists(beside):
            os.rename(beside, file.with_name(name + end))
    return file.with_name(name)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what led to it."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        original = each.orig if isinstance(each, DBAPIError) else None
        each = original or each.__cause__ or each.__context__
