"""What the Guardian says of itself: that it is on watch, that the database or Slack was away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime

from bot.domain.letters import Letter, LetterKind, Priority
from bot.engine.clock import Clock
from bot.engine.ledger import Ledger
from bot.engine.outbox import Outbox
from bot.store.changes import NewLetter
from messages.answer_facts import (
    ChannelBlockedFacts,
    DeadLetterFacts,
    DeliveredLateFacts,
    StoreBackFacts,
    StoreDownFacts,
)
from messages.elsewhere_facts import DoorClosedFacts, SecondWayFacts, SelfCheckFacts, WatchdogFacts
from messages.facts import Facts, StatusFacts
from messages.oncall_facts import UnknownPersonFacts
from messages.operation_facts import RunsTroubleFacts

_OWN = "notice"


class Notices:
    """Posts notices by way of the outbox: written down first, like everything else that is told."""

    def __init__(
        self, ledger: Ledger, outbox: Outbox, clock: Clock, host: str, alerts: str, ops: str
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._clock = clock
        self._host = host
        self._alerts = alerts
        self._ops = ops
        self._tasks: set[asyncio.Task[None]] = set()

    async def on_watch(self, status: StatusFacts) -> None:
        """The first report after the start."""
        await self._tell("startup", status, self._ops, Priority.INFO)

    def store_down(self, detail: str) -> None:
        """The database cannot be written: the alert channel should know that history may be lost."""
        facts = StoreDownFacts(host=self._host, at=self._clock().isoformat(), problem=detail)
        self._soon(self._tell("store_down", facts, self._alerts, Priority.CRITICAL))

    def store_back(self, since: datetime, kept: int) -> None:
        """The database can be written again, and what was kept has been written."""
        at = self._clock().isoformat()
        facts = StoreBackFacts(host=self._host, down_since=since.isoformat(), at=at)
        self._soon(self._tell("store_back", facts, self._alerts, Priority.ALERT))

    def delivered_late(self, since: datetime, until: datetime, letters: int) -> None:
        """Slack was away, and what waited has gone out."""
        facts = DeliveredLateFacts(since.isoformat(), until.isoformat(), letters)
        self._soon(self._tell("delivered_late", facts, self._ops, Priority.INFO))

    def channel_blocked(self, channel: str, problem: str) -> None:
        """A channel takes nothing until somebody mends it: said in the other one."""
        facts = ChannelBlockedFacts(
            channel, problem, self._outbox.waiting_for(channel), self._clock().isoformat()
        )
        elsewhere = self._ops if channel == self._alerts else self._alerts
        self._soon(self._tell("channel_blocked", facts, elsewhere, Priority.CRITICAL))

    def dead_letter(self, letter: Letter, detail: str) -> None:
        """A letter was given up. A notice that is given up itself makes no further notice."""
        if letter.stream.startswith(_OWN):
            return
        about = [letter.facts.get(name) for name in ("level", "metric", "target")]
        facts = DeadLetterFacts(
            kind=letter.template,
            headline=" · ".join(str(part) for part in about if part) or letter.stream,
            channel=letter.channel,
            error=detail,
            attempts=letter.attempts,
            created_at=letter.created_at.isoformat(),
            dead_letters=self._outbox.dead,
        )
        self._soon(self._tell("dead_letter", facts, self._ops, Priority.ALERT))

    def self_check(self, problem: str, seconds: float, since: datetime) -> None:
        """Something is wrong with the Guardian itself: the alert channel, and the second way out after it."""
        facts = SelfCheckFacts(self._host, problem, seconds, since.isoformat(), self._clock().isoformat())
        self._soon(self._tell("self_check", facts, self._alerts, Priority.CRITICAL))

    def self_check_over(self, problem: str, seconds: float, since: datetime) -> None:
        """It is over; `seconds`: how late at worst."""
        facts = SelfCheckFacts(self._host, problem, seconds, since.isoformat(), self._clock().isoformat())
        self._soon(self._tell("self_check_over", facts, self._alerts, Priority.ALERT))

    def watchdog_failing(self, problem: str, since: datetime) -> None:
        """Nobody outside would notice the Guardian's death."""
        facts = WatchdogFacts(self._host, problem, since.isoformat(), self._clock().isoformat())
        self._soon(self._tell("watchdog_failing", facts, self._ops, Priority.ALERT))

    def watchdog_back(self, problem: str, since: datetime) -> None:
        """The outside watchdog gets its signal again."""
        facts = WatchdogFacts(self._host, problem, since.isoformat(), self._clock().isoformat())
        self._soon(self._tell("watchdog_back", facts, self._ops, Priority.INFO))

    def second_way(self, facts: SecondWayFacts) -> None:
        """Letters that Slack has not taken went out another way, or could not."""
        self._soon(self._tell("second_way", facts, self._ops, Priority.ALERT))

    def door_closed(self, address: str) -> None:
        """The door for alerts from elsewhere could not be opened: nobody can report anything."""
        self._soon(self._tell("door_closed", DoorClosedFacts(address), self._alerts, Priority.ALERT))

    async def runs_trouble(self, facts: RunsTroubleFacts) -> None:
        """Something is wrong with the place where runs of operations live, or is right again."""
        priority = Priority.INFO if facts.kind == "back" else Priority.ALERT
        await self._tell("runs_trouble", facts, self._ops, priority)

    def unknown_person(self, reference: str) -> None:
        """The configuration calls somebody whom the workspace does not know: nobody would be paged."""
        self._soon(self._tell("unknown_person", UnknownPersonFacts(reference), self._ops, Priority.ALERT))

    async def tell(self, template: str, facts: Facts, channel: str) -> None:
        """Tell something else, in that channel."""
        await self._tell(template, facts, channel, Priority.ALERT)

    async def _tell(self, template: str, facts: Facts, channel: str, priority: Priority) -> None:
        now = self._clock()
        number = next(self._outbox.next_ids())
        letter = Letter(
            id=number,
            stream=f"{_OWN}:{number}",
            kind=LetterKind.CARD,
            channel=channel,
            template=template,
            facts=facts.as_json(),
            priority=priority,
            created_at=now,
            since=now,
        )
        await self._ledger.write([NewLetter(letter)])
        self._outbox.accept([letter])

    def _soon(self, work: Coroutine[None, None, None]) -> None:
        # Those who call are in the middle of writing: the notice has to wait for its turn.
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
