"""Hand-overs: when somebody else is on call, the channel of operations is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.engine.clock import Clock
from bot.engine.roster import Roster
from bot.store.duty import DutyStore
from bot.store.errors import StoreUnavailable
from messages.facts import Facts
from messages.oncall_facts import HandOverFacts

log = structlog.get_logger(__name__)

Tell = Callable[[str, Facts, str], Awaitable[None]]
"""Writes a letter: the message's name, its facts, the channel."""
LOOK_EVERY = 5.0


class HandOvers:
    """Compares who is on call with who was, as the database remembers it, so that a restart neither repeats a
    message nor leaves one out. `load` before use.

    A gap is no hand-over: the one before it is remembered, and nothing is said if they come back after it.
    """

    def __init__(
        self, roster: Roster, store: DutyStore, tell: Tell, open_alerts: Callable[[], int], channel: str
    ) -> None:
        """`open_alerts`: how many alerts are open. `channel`: where hand-overs are told."""
        self._roster = roster
        self._store = store
        self._tell = tell
        self._open_alerts = open_alerts
        self._channel = channel
        self._last: dict[str, str] = {}
        self._unsaved: dict[str, tuple[str, datetime]] = {}

    async def load(self) -> None:
        """Read who was on call when it was last looked. Raises StoreUnavailable."""
        self._last = await self._store.duties()

    async def run(self, clock: Clock, every: float = LOOK_EVERY) -> None:
        """Look again and again, for ever."""
        while True:
            await self.look(clock())
            await asyncio.sleep(every)

    async def look(self, now: datetime) -> None:
        """Tell of every schedule whose person on call is another one than last time. Of a schedule that is
        seen for the first time nothing is told."""
        for name in self._roster.names:
            person = self._roster.on_call(name, now)
            before = self._last.get(name)
            if person is None or person == before:
                continue
            if before is not None:
                # Told first and remembered afterwards: if it dies in between, rather twice than never.
                await self._tell("hand_over", self._facts(name, before, person, now), self._channel)
            self._last[name] = person
            self._unsaved[name] = (person, now)
        await self._save()

    def _facts(self, name: str, before: str, person: str, now: datetime) -> HandOverFacts:
        following = self._roster.next_hand_over(name, now)
        shift = self._roster.shift_at(name, now)
        number = None if shift is None else shift.override
        override = None if number is None else self._roster.override(number)
        return HandOverFacts(
            schedule=name,
            before=before,
            after=person,
            at=now.replace(microsecond=0).isoformat(),
            until=None if following is None else following.start.isoformat(),
            override=number,
            why="" if override is None else override.why,
            open_alerts=self._open_alerts(),
        )

    async def _save(self) -> None:
        for name, (person, since) in list(self._unsaved.items()):
            try:
                await self._store.remember_duty(name, person, since)
            except StoreUnavailable as error:
                log.warning("duty_not_remembered", schedule=name, detail=error.detail)
                return
            if self._unsaved.get(name) == (person, since):
                del self._unsaved[name]
