"""The checks of gate 1 for plans: run once for all who ask for the same meanwhile."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TypeAlias

from bot.engine.deploy.checks import Done
from bot.engine.deploy.inspection import Inspection, failed_of
from bot.engine.deploy.site import Site

_LIVE = 900.0
"""seconds that checks count for a plan, as long as a plan can be approved. Gate 1 runs them again"""

_Key: TypeAlias = tuple[str, str, str, str | None]


@dataclass(slots=True)
class _Turn:
    """Who wants the same checks at the same time: the first runs them, the others wait for what it found."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    people: int = 0
    found: tuple[Done, ...] = ()


class CheckedOnce:
    """Keeps the last ones of each place that were good."""

    def __init__(self, inspection: Inspection) -> None:
        self._inspection = inspection
        self._kept: dict[tuple[str, str], tuple[_Key, float, tuple[Done, ...]]] = {}
        self._turns: dict[_Key, _Turn] = {}

    async def of(self, site: Site, revision: str, commit: str | None) -> tuple[Done, ...]:
        """The six, in the document's order. What was not good counts for those who asked meanwhile, and is
        run again for the next."""
        key = (site.service.name, site.environment.name, revision, commit)
        turn = self._turns.setdefault(key, _Turn())
        turn.people += 1
        try:
            async with turn.lock:
                if not turn.found:  # the first, or the one before was cancelled or failed
                    turn.found = await self._found(key, site, revision, commit)
            return turn.found
        finally:
            turn.people -= 1
            if turn.people == 0:
                del self._turns[key]

    async def _found(self, key: _Key, site: Site, revision: str, commit: str | None) -> tuple[Done, ...]:
        place = key[:2]
        kept, made, known = self._kept.get(place, (None, 0.0, ()))
        if kept == key and time.monotonic() - made <= _LIVE:
            return known
        found = await self._inspection.before(site, revision, commit)
        self._kept.pop(place, None)
        if not failed_of(found):
            self._kept[place] = (key, time.monotonic(), found)
        return found
