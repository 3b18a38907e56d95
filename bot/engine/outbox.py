"""The outbox: carries every letter to Slack, each once if that can be known, in order within its stream.

A letter is in the database before it is here. It is leased before it is posted and marked afterwards, so
that after a crash only what was under way is in doubt, and for that the courier looks before it posts.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.domain.letters import Card, Letter
from bot.engine.bucket import EDITS, Bucket
from bot.engine.carrier import Carrier
from bot.engine.clock import Clock
from bot.engine.delivery import Blocked, Courier, DeliveryFailed, Permanent, Temporary
from bot.engine.delivery_policy import DeliveryPolicy
from bot.engine.ledger import Ledger
from bot.engine.outage import Outages
from bot.engine.stream import Stream
from bot.engine.unsent import Unsent
from bot.store.changes import LetterDead

log = structlog.get_logger(__name__)

_OFTEN = 10
"""Failures in a row after which a letter is suspected to be at fault itself."""
DEAD_TOLD_FOR = timedelta(days=1)
"""how long a letter that was given up counts as a trouble of now"""


class Outbox:
    """Takes letters that are written down and sees them sent."""

    def __init__(
        self,
        ledger: Ledger,
        courier: Courier,
        clock: Clock,
        policy: DeliveryPolicy | None = None,
        on_dead: Callable[[Letter, str], None] = lambda letter, detail: None,
        on_late: Callable[[datetime, datetime, int], None] = lambda since, until, letters: None,
        on_blocked: Callable[[str, str], None] = lambda channel, problem: None,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._policy = policy or DeliveryPolicy()
        self._on_dead = on_dead
        self._on_late = on_late
        self._outages = Outages(on_blocked)
        self._unsent = Unsent(self._policy.posts, self._policy.edits, self._outages.is_common)
        self._carrier = Carrier(ledger, courier, clock, self._policy.lease)
        self._retries: set[asyncio.TimerHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._ids = itertools.count(1)
        self._dead: deque[datetime] = deque()

    async def load(self) -> None:
        """Read what is unsent from the database. Raises StoreUnavailable."""
        store = self._ledger.store
        _, last = await store.last_ids()
        self._ids = itertools.count(last + 1)
        self._dead = deque(await store.dead_letters(self._clock() - DEAD_TOLD_FOR))
        letters = await store.queued_letters()
        await self.know_cards({letter.stream for letter in letters})
        self.accept(letters)

    async def know_cards(self, streams: Iterable[str]) -> None:
        """Read where the cards of those streams are. Raises StoreUnavailable."""
        await self._carrier.know_cards(streams)

    def next_ids(self) -> Iterator[int]:
        """Ids for new letters; each is given once."""
        return self._ids

    @property
    def unsent(self) -> int:
        """How many letters Slack has not taken yet."""
        return self._unsent.count()

    def waiting(self) -> list[Letter]:
        """Every letter that Slack has not taken yet."""
        return self._unsent.letters()

    def waiting_for(self, channel: str) -> int:
        """How many letters to that channel Slack has not taken yet."""
        return self._unsent.count_for(channel)

    @property
    def dead(self) -> int:
        """How many letters were given up in the last day."""
        oldest = self._clock() - DEAD_TOLD_FOR
        while self._dead and self._dead[0] < oldest:
            self._dead.popleft()
        return len(self._dead)

    @property
    def failing(self) -> Mapping[str, str]:
        """The last failure of each bucket that is failing now."""
        return self._outages.details

    def card(self, stream: str) -> Card | None:
        """Where the card of a stream is, as far as this process knows."""
        return self._carrier.card(stream)

    async def lose_card(self, stream: str, ts: str) -> None:
        """Somebody deleted the card of that stream at that place: nobody is called in its thread."""
        await self._carrier.lost(stream, ts)

    def last_waiting(self, stream: str) -> Letter | None:
        """The last letter of a stream, if it is neither under way nor may have arrived."""
        return self._unsent.last_waiting(stream)

    def superseded_by(self, letters: Sequence[Letter]) -> list[int]:
        """Ids of unsent letters that `letters` make superfluous: earlier edits, because only the newest
        drawing of a card matters, and pages that nobody need answer any more."""
        return self._unsent.superseded_by(letters)

    @contextmanager
    def holding(self, letters: Iterable[int]) -> Iterator[None]:
        """Begin to send none of those as long as the block runs: it writes down that others stand for them,
        and what they say must not be said twice."""
        try:
            with self._unsent.holding(letters):
                yield
        finally:
            self._wake.set()

    def accept(self, letters: Sequence[Letter], superseded: Iterable[int] = ()) -> None:
        """Queue letters that have been written down (or kept, when the database cannot be written).

        `superseded` are the ids that were written down as such with them: exactly those, because a restart
        sends whatever the database calls unsent.
        """
        self._unsent.accept(letters, superseded)
        self._wake.set()

    async def run(self) -> None:
        """Send what may be sent, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            try:
                async with asyncio.timeout(self._dispatch(loop.time())):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def drain(self, seconds: float) -> bool:
        """Wait until nothing is under way, `seconds` at most; whether that came about."""
        if not self._tasks:
            return True
        _, pending = await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending, timeout=1)
        return not pending

    async def close(self) -> None:
        """Forget the timers of retries; what is unsent stays in the database."""
        for handle in self._retries:
            handle.cancel()
        self._retries.clear()

    def _dispatch(self, now: float) -> float | None:
        """Start whatever may go now; seconds until something else may, None when only news can tell."""
        waits: list[float] = []
        for bucket in self._unsent.buckets():
            while bucket.under_way < self._at_once(bucket):
                wait = bucket.wait(now)
                if wait is None:
                    break
                if wait > 0:
                    waits.append(wait)
                    break
                stream = self._unsent.take(bucket)
                if stream is None:
                    continue
                bucket.spend()
                stream.in_flight = True
                bucket.under_way += 1
                task = asyncio.create_task(self._carry(stream, bucket))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return min(waits, default=None)

    def _at_once(self, bucket: Bucket) -> int:
        """How many of its letters may be under way: one, while that is to find out for all."""
        return 1 if self._outages.is_common(bucket.name) else self._policy.at_once

    async def _carry(self, stream: Stream, bucket: Bucket) -> None:
        """Send the oldest letter of a stream and see to what comes of it."""
        letter = stream.letters[0]
        retry: float | None
        try:
            retry = await self._try(letter, stream, bucket)
        except Exception:  # a bug in one letter must neither stop the others nor lose this one
            log.exception("letter_not_sent", letter=letter.id, template=letter.template)
            stream.failures += 1
            retry = self._policy.longest_retry
        finally:
            stream.in_flight = False
            bucket.under_way -= 1
        if retry is None:
            self._unsent.line_up(stream)
        else:
            self._later(retry, stream)
        self._tell_if_caught_up(bucket)
        self._wake.set()

    async def _try(self, letter: Letter, stream: Stream, bucket: Bucket) -> float | None:
        """Send a letter; seconds until the next try, None when there is none because it is sent or buried."""
        if self._clock() - letter.created_at > self._policy.give_up_after:
            await self._bury(letter, stream.failures, self.failing.get(bucket.name, "too old"))
            self._unsent.done(stream)
            return None
        try:
            await self._carrier.send(letter, stream)
        except Permanent as error:
            self._recovered(bucket)  # a refusal is an answer
            await self._bury(letter, stream.failures + 1, error.detail)
        except DeliveryFailed as error:
            return self._failed(stream, bucket, error)
        else:
            self._recovered(bucket)
        self._unsent.done(stream)
        return None

    def _failed(self, stream: Stream, bucket: Bucket, error: DeliveryFailed) -> float:
        """Note a failure; seconds until the next try."""
        stream.failures += 1
        outage = self._outages.failed(bucket.name, stream.name, error, self._clock())
        loop_time = asyncio.get_running_loop().time()
        if isinstance(error, Temporary) and error.retry_after is not None:
            bucket.refused(loop_time, error.retry_after)
            return 0.0
        bucket.refund()  # what was not taken has used up nothing
        wait = self._policy.rest_after(stream.failures)
        if isinstance(error, Blocked) and bucket.name != EDITS:
            # One letter finds out for all of them whether it is mended. Edits go to many channels.
            bucket.pause(loop_time, wait)
            return 0.0
        if outage.is_common:
            # It is not this letter, it is Slack: all wait, and then one of them is tried.
            bucket.pause(loop_time, self._policy.within(outage.pause(self._clock())))
            return 0.0
        return wait

    def _recovered(self, bucket: Bucket) -> None:
        """Slack has answered: those that failed before go at once, the most urgent first. One that has failed
        often by itself goes on at its own pace."""
        if not self._outages.answered(bucket.name, self._clock()):
            return
        for stream in self._unsent.failed_in(bucket):
            if stream.queued is not None:
                self._unsent.place_anew(stream)
            elif stream.rest is not None and stream.failures <= _OFTEN:
                stream.rest.cancel()
                self._retries.discard(stream.rest)
                self._rested(stream)

    def _rested(self, stream: Stream) -> None:
        stream.resting, stream.rest = False, None
        self._unsent.line_up(stream)
        self._wake.set()

    def _tell_if_caught_up(self, bucket: Bucket) -> None:
        """Once nothing of an outage waits any more, say how long it was, if it was long."""
        if len(bucket) or bucket.under_way:
            return
        outage = self._outages.caught_up(bucket.name)
        if outage is None or outage.over_at is None:
            return
        # That people had to mend something was told when it began.
        if outage.blocked is None and outage.over_at - outage.since >= self._policy.late_after:
            self._on_late(outage.since, outage.over_at, outage.sent)

    async def _bury(self, letter: Letter, tries: int, detail: str) -> None:
        now = self._clock()
        self._dead.append(now)
        log.error("letter_given_up", letter=letter.id, template=letter.template, detail=detail)
        await self._ledger.write([LetterDead(letter.id, now, detail)])
        self._on_dead(replace(letter, attempts=letter.attempts + tries), detail)

    def _later(self, seconds: float, stream: Stream) -> None:
        stream.resting = True

        def again() -> None:
            self._retries.discard(handle)
            self._rested(stream)

        handle = stream.rest = asyncio.get_running_loop().call_later(seconds, again)
        self._retries.add(handle)
