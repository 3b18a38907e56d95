"""Commits laid out for checks, each in a folder that is there for as long as it is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from bot.engine.uninterrupted import uninterrupted
from bot.tools.commands import never
from bot.tools.git_checkout import LONGEST, CheckoutFailed, Place, lay_out, sweep

log = structlog.get_logger(__name__)


class Checkouts:
    """Keeps them in a folder of the state directory."""

    def __init__(self, folder: Path, seconds: float = LONGEST) -> None:
        """`seconds`: how long laying out one may take."""
        self._folder = folder
        self._seconds = seconds

    async def clear(self) -> None:
        """Remove what a Guardian that was killed has left. Never raises."""
        for problem in await asyncio.to_thread(sweep, self._folder):
            log.warning("checkout_left", detail=problem)

    @asynccontextmanager
    async def of(
        self, repository: str, commit: str, stopping: Callable[[], bool] = never
    ) -> AsyncIterator[Path]:
        """The folder with that commit of the repository, given by its full hash; gone afterwards, however it
        ends. Raises CheckoutFailed."""
        await self.clear()
        try:
            place = Place.take(self._folder)
        except OSError as error:
            raise CheckoutFailed("checkout", {"detail": error.strerror or str(error)}) from None
        try:
            await lay_out(repository, commit, place.path, seconds=self._seconds, stopping=stopping)
            yield place.path
        finally:
            await uninterrupted(asyncio.to_thread(_give_back, place))


def _give_back(place: Place) -> None:
    try:
        place.give_back()
    except OSError as error:  # what was checked was checked: the next one sweeps
        log.warning("checkout_left", detail=str(error))
