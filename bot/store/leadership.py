"""One Guardian for one PostgreSQL database: an advisory lock, held by a connection of its own.

The server lets go of the lock when that connection ends, however it ends. (A SQLite file has a lock file
beside it: `bot.engine.leader`.)
"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.store.asynchronous import AsyncConnection, AsyncEngine
from bot.store.errors import StoreError, StoreUnavailable
from bot.store.translation import store_errors

log = structlog.get_logger(__name__)

_KEY = 0x67756172  # any number, the same for all Guardians
_LOOK_EVERY = 5.0
_PATIENCE = 5.0


class LeadershipTaken(StoreError):
    """Another Guardian holds the lock on this database."""


class Leadership:
    """The right to be the one who watches with this database."""

    def __init__(self, engine: AsyncEngine, look_every: float = _LOOK_EVERY) -> None:
        self._engine = engine
        self._look_every = look_every
        self._connection: AsyncConnection | None = None

    async def acquire(self) -> None:
        """Take the lock. Raises LeadershipTaken, or StoreUnavailable when the server is away."""
        with store_errors():
            connection = await self._engine.connect()
            try:
                # Outside a transaction: one that stays open for weeks would keep the server from cleaning up.
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                got = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY})
                if not got:
                    raise LeadershipTaken("another Guardian holds the lock on this database")
            except BaseException:
                await connection.close()
                raise
        self._connection = connection

    async def watch(self) -> None:
        """See to it that the lock stays ours, for ever. Raises LeadershipTaken once somebody else has it.

        While the server is away nobody has it, and the watch goes on.
        """
        while True:
            await asyncio.sleep(self._look_every)
            try:
                # A network that swallows everything answers nothing for a quarter of an hour, and meanwhile
                # the server may have given the lock to somebody else.
                async with asyncio.timeout(_PATIENCE):
                    await self._look()
            except (StoreUnavailable, TimeoutError) as error:
                if self._connection is not None:
                    log.warning("leadership_uncertain", detail=str(error) or type(error).__name__)
                    await self._drop()

    async def _look(self) -> None:
        if self._connection is None:
            await self.acquire()
            log.info("leadership_regained")
            return
        with store_errors():
            await self._connection.execute(text("SELECT 1"))

    async def release(self) -> None:
        """Let go of the lock."""
        if self._connection is not None:
            try:
                # Said aloud: the server may notice the end of a connection only a moment later.
                async with asyncio.timeout(1):
                    with store_errors():
                        await self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})
            except (StoreUnavailable, SQLAlchemyError, TimeoutError) as error:
                # SQLAlchemyError: a look that was cancelled leaves a connection that answers no more.
                log.debug("leadership_not_released", detail=type(error).__name__)
        await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                # Not back to the pool, where it would go on holding the lock.
                with store_errors():
                    await connection.invalidate()
                    await connection.close()
            except StoreUnavailable as error:
                log.debug("leadership_connection_not_closed", detail=type(error).__name__)
