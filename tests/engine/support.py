"""Doubles for the edges of the engine: a clock that is set, a disk that fails, a Slack that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, event

from bot.domain.alerts.model import Alert, Status
from bot.domain.letters import Card, Letter
from bot.engine.bucket import Allowance
from bot.engine.delivery import Arrived, CardGone
from bot.engine.delivery_policy import DeliveryPolicy
from bot.engine.ledger import Ledger
from bot.engine.outbox import Outbox
from bot.store.changes import LetterSuperseded, NewLetter
from bot.store.store import Store
from tests.factories import T0

CEILING_SECONDS = 120
"""So long a condition may take on the slowest of machines; what takes longer is broken."""

AT_ONCE = Allowance(per_second=100_000.0, burst=1000)
QUICK = DeliveryPolicy(posts=AT_ONCE, edits=AT_ONCE, first_retry=0.01, longest_retry=0.02)


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(CEILING_SECONDS):
        while not condition():  # noqa: ASYNC110 - what real components have done has no event
            await asyncio.sleep(0.002)


class SetClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = T0) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Move on; negative goes back."""
        self.now += timedelta(**by)


class Disk:
    """What the real database of a test may do just now: `read_only` or `full` make it refuse writes, `away`
    everything."""

    def __init__(self) -> None:
        self.away = False
        self.read_only = False
        self.full = False

    @contextmanager
    def beneath_every_transaction(self) -> Iterator[Disk]:
        """Ask the disk at the begin of each transaction, on whatever database."""
        event.listen(Engine, "begin", self._begin)
        try:
            yield self
        finally:
            event.remove(Engine, "begin", self._begin)

    def _begin(self, connection: Connection) -> None:
        is_sqlite = connection.dialect.name == "sqlite"
        if self.away:
            ended = "SELECT pg_terminate_backend(pg_backend_pid())"
            connection.exec_driver_sql("SELECT 1 FROM what_is_away" if is_sqlite else ended)
        if is_sqlite:
            # SQLite never shrinks the limit below what is there: a write that needs a new page is refused.
            connection.exec_driver_sql(f"PRAGMA max_page_count = {1 if self.full else 1_000_000}")
            connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if self.read_only else 'OFF'}")
        elif self.read_only:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")


@dataclass(frozen=True)
class Message:
    """What is in the channel."""

    letter: Letter
    ts: str
    thread: str | None


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call; with `after` the letter has arrived all the same."""

    error: Exception
    after: bool = False


@dataclass
class FakeSlack:
    """A courier into a channel that is a list. `fault` decides about each call."""

    messages: list[Message] = field(default_factory=list)
    edits: list[tuple[str, Letter]] = field(default_factory=list)
    calls: list[tuple[str, int]] = field(default_factory=list)
    fault: Callable[[str, Letter], Fault | None] = lambda call, letter: None
    held: dict[int, asyncio.Event] = field(default_factory=dict)
    under_way: set[int] = field(default_factory=set)
    can_find: bool = True
    times: list[float] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    """cards that somebody deleted and whose threads, as in Slack, go on without them"""

    async def post(self, letter: Letter, thread: Card | None, delivery_ms: int) -> Arrived:
        self.calls.append(("post", letter.id))
        fault = await self._begin("post", letter)
        if thread is not None and thread.ts not in {message.ts for message in self.messages}:
            raise CardGone("thread_not_found")
        ts = f"{len(self.messages) + 1}.000000"
        self.messages.append(Message(letter, ts, thread.ts if thread else None))
        if fault is not None:
            raise fault.error
        return Arrived("C1", ts)

    async def edit(self, letter: Letter, card: Card) -> None:
        self.calls.append(("edit", letter.id))
        fault = await self._begin("edit", letter)
        if card.ts in self.deleted or card.ts not in {message.ts for message in self.messages}:
            raise CardGone("message_not_found")
        self.edits.append((card.ts, letter))
        if fault is not None:
            raise fault.error

    async def find(self, letter: Letter, thread: Card | None) -> Arrived | None:
        self.calls.append(("find", letter.id))
        await self._begin("find", letter)
        if not self.can_find:
            return None
        found = [message for message in self.messages if message.letter.id == letter.id]
        return Arrived("C1", found[0].ts) if found else None

    async def _begin(self, call: str, letter: Letter) -> Fault | None:
        self.times.append(asyncio.get_running_loop().time())
        self.under_way.add(letter.id)
        try:
            if letter.id in self.held:
                await self.held[letter.id].wait()
        finally:
            self.under_way.discard(letter.id)
        fault = self.fault(call, letter)
        if fault is not None and not fault.after:
            raise fault.error
        return fault

    def hold(self, *letters: int) -> None:
        """Let calls for those letters wait until they are released."""
        self.held |= {letter: asyncio.Event() for letter in letters}

    def release(self, letter: int) -> None:
        """Let the calls for a letter go on."""
        self.held.pop(letter).set()

    @property
    def arrived(self) -> list[int]:
        """Ids of the letters in the channel, in the order in which they came."""
        return [message.letter.id for message in self.messages]

    def shown(self, stream: str) -> Letter | None:
        """What the latest card of a stream shows now."""
        cards = [m for m in self.messages if m.letter.stream == stream and m.letter.kind.value != "note"]
        if not cards:
            return None
        return next((letter for ts, letter in reversed(self.edits) if ts == cards[-1].ts), cards[-1].letter)


def failing(*faults: Fault | None) -> Callable[[str, Letter], Fault | None]:
    """The first posts and edits fail like that, one after the other; those after them don't."""
    left = list(faults)

    def fault(call: str, letter: Letter) -> Fault | None:
        return left.pop(0) if left and call != "find" else None

    return fault


@dataclass
class Counter:
    """A call-back that remembers what it was told."""

    told: list[tuple[object, ...]] = field(default_factory=list)

    def __call__(self, *told: object) -> None:
        self.told.append(told)


@dataclass
class Office:
    """An outbox at work, with what it said."""

    ledger: Ledger
    outbox: Outbox
    slack: FakeSlack
    dead: Counter
    late: Counter
    blocked: Counter

    async def hand_in(self, *letters: Letter) -> None:
        """Write letters and queue them, as the alert desk does."""
        superseded = self.outbox.superseded_by(letters)
        with self.outbox.holding(superseded):
            await self.ledger.write(
                [*(NewLetter(letter) for letter in letters), *(LetterSuperseded(old) for old in superseded)]
            )
        self.outbox.accept(letters, superseded)

    async def emptied(self) -> None:
        """Wait until nothing is unsent, and nothing is under way."""
        await until(lambda: self.outbox.unsent == 0)
        assert await self.outbox.drain(CEILING_SECONDS)


@asynccontextmanager
async def delivering(
    store: Store, clock: SetClock, slack: FakeSlack, policy: DeliveryPolicy = QUICK
) -> AsyncIterator[Office]:
    """An outbox that has read the database and sends. At the end it stops where it is, as a process does."""
    ledger = Ledger(store, clock)
    dead, late, blocked = Counter(), Counter(), Counter()
    outbox = Outbox(ledger, slack, clock, policy, dead, late, blocked)
    await outbox.load()
    running = asyncio.create_task(outbox.run())
    try:
        yield Office(ledger, outbox, slack, dead, late, blocked)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await outbox.drain(0)
        await outbox.close()


async def open_in(store: Store) -> list[Alert]:
    """The open alerts in the database, in the order in which the desk tells them."""
    alerts = [alert for alert in await store.live_alerts(T0) if alert.status.is_open]
    return sorted(alerts, key=lambda alert: (alert.status is Status.ACKED, -alert.level, alert.id))
