"""Heartbeat out: an address outside is called again and again, and somebody there notices when it is not.

It is called only while the Guardian is well: a watch that cannot page must look dead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import aiohttp
import structlog
from pydantic import SecretStr

from bot.engine.clock import Clock
from bot.engine.selfcheck import Check, first_problem

log = structlog.get_logger(__name__)

_PATIENCE = 10.0

Told = Callable[[str, datetime], None]
"""(problem, since when)"""


def _nobody(problem: str, since: datetime) -> None:
    """Tells nobody."""


class Watchdog:
    """Calls the address while all checks are fine. It may be a secret, so no log and no message has it."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: SecretStr,
        every: timedelta,
        checks: Sequence[Check],
        clock: Clock,
        on_failing: Told = _nobody,
        on_back: Told = _nobody,
        patience: float = _PATIENCE,
    ) -> None:
        """`on_failing`, `on_back`: the address can't be reached, and it can again. `patience`: seconds."""
        self._session = session
        self._url = url
        self._every = every
        self._checks = checks
        self._clock = clock
        self._on_failing = on_failing
        self._on_back = on_back
        self._limit = aiohttp.ClientTimeout(total=patience)
        self._failing: tuple[str, datetime] | None = None
        self._withheld: str | None = None

    async def run(self) -> None:
        """Call for ever."""
        while True:
            await self.call()
            await asyncio.sleep(self._every.total_seconds())

    async def call(self) -> bool:
        """Call once, unless something is wrong with us; whether it was called and has answered well."""
        now = self._clock()
        problem = first_problem(self._checks, now)
        if problem != self._withheld:
            self._withheld = problem
            log.warning(
                "watchdog_called_again" if problem is None else "watchdog_not_called", problem=problem
            )
        if problem is not None:
            return False
        failure = await self._get()
        if failure is None and self._failing is not None:
            what, since = self._failing
            self._failing = None
            log.info("watchdog_reached_again")
            self._on_back(what, since)
        elif failure is not None and self._failing is None:
            self._failing = (failure, now)
            log.warning("watchdog_not_reached", problem=failure)
            self._on_failing(failure, now)
        return failure is None

    async def _get(self) -> str | None:
        """Why it failed: timeout, connection, or the status of the answer; None when it did not."""
        try:
            async with self._session.get(self._url.get_secret_value(), timeout=self._limit) as answer:
                return None if answer.status < 400 else str(answer.status)
        except TimeoutError:
            return "timeout"
        except (aiohttp.ClientError, OSError, ValueError):
            return "connection"  # the error's own words may hold the address
