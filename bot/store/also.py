"""What is written in a transaction that others have begun, so that both are there or neither."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bot.store.asynchronous import AsyncConnection
from bot.store.database import Database

Also: TypeAlias = Callable[[AsyncConnection], Awaitable[bool]]
"""Writes something there. False: it found otherwise than it must be, and nothing of it all may be kept."""


class NotDone(Exception):
    """Leaves a transaction, so that nothing of it is kept: somebody else was first."""


def where_possible(part: Also) -> Also:
    """The same, but that it could not be done keeps nothing else from being kept."""

    async def also(connection: AsyncConnection) -> bool:
        await part(connection)
        return True

    return also


def first_of(*parts: Also) -> Also:
    """The first part that can be done, and no other; not done where none can."""

    async def also(connection: AsyncConnection) -> bool:
        for part in parts:
            if await part(connection):
                return True
        return False

    return also


def all_of(*parts: Also) -> Also:
    """Everything in one transaction, or nothing: as soon as one part was not done."""

    async def also(connection: AsyncConnection) -> bool:
        for part in parts:
            if not await part(connection):
                return False
        return True

    return also


async def written(database: Database, also: Also) -> bool:
    """Write that in a transaction of its own; whether it was. Raises StoreUnavailable."""
    try:
        async with database.begin() as connection:
            if not await also(connection):
                raise NotDone
    except NotDone:
        return False
    return True
