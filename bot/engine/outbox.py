"""The outbox: carries every letter to Slack, each once if that can be known, in order within its stream.

A letter is in the database before it is here. It is leased before it is posted and marked afterwards, so
that after a crash only what was under way is in doubt, and for that the courier looks before it posts.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from bot.domain.letters import PAGES, Card, Letter, LetterKind, Priority, calls_nobody
from bot.engine.bucket import Allowance, Bucket
from bot.engine.carrier import Carrier, Stream
from bot.engine.clock import Clock
from bot.engine.delivery import Blocked, Courier, DeliveryFailed, Permanent, Temporary
from bot.engine.ledger import Ledger
from bot.engine.outage import Outage
from bot.store.changes import LetterDead

log = structlog.get_logger(__name__)

EDITS = "edits"
_OFTEN = 10
"""Failures in a row after which a letter is suspected to be at fault itself."""
DEAD_TOLD_FOR = timedelta(days=1)
"""how long a letter that was given up counts as a trouble of now"""


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How hard the outbox tries; the defaults are those of the design's section Delivery.

    Slack takes about one post a second and channel with short bursts, and fifty edits a minute. How long a
    burst may be it says itself, with 429: then there is none for a while.
    """

    posts: Allowance = field(default_factory=lambda: Allowance(per_second=1.0, burst=20))
    edits: Allowance = field(default_factory=lambda: Allowance(per_second=50 / 60, burst=10))
    first_retry: float = 1.0
    longest_retry: float = 60.0
    give_up_after: timedelta = timedelta(hours=24)
    lease: timedelta = timedelta(seconds=60)
    late_after: timedelta = timedelta(seconds=60)
    """an outage at least this long is told afterwards"""
    at_once: int = 3
    """letters of one bucket under way at the same time"""


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
        self._on_blocked = on_blocked
        self._outages: dict[str, Outage] = {}
        self._streams: dict[str, Stream] = {}
        self._carrier = Carrier(ledger, courier, clock, self._policy.lease)
        self._buckets: dict[str, Bucket] = {}
        self._busy: dict[str, int] = {}
        self._retries: set[asyncio.TimerHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._ids = itertools.count(1)
        self._dead: deque[datetime] = deque()
        self._held: set[int] = set()
        self._held_back: list[tuple[str, Stream]] = []
        """streams whose turn came while their letter was held"""

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
        return sum(len(stream.letters) for stream in self._streams.values())

    def waiting(self) -> list[Letter]:
        """Every letter that Slack has not taken yet."""
        return [letter for stream in self._streams.values() for letter in stream.letters]

    def waiting_for(self, channel: str) -> int:
        """How many letters to that channel Slack has not taken yet."""
        return sum(
            letter.channel == channel for stream in self._streams.values() for letter in stream.letters
        )

    @property
    def dead(self) -> int:
        """How many letters were given up in the last day."""
        oldest = self._clock() - DEAD_TOLD_FOR
        while self._dead and self._dead[0] < oldest:
            self._dead.popleft()
        return len(self._dead)

    @property
    def failing(self) -> dict[str, str]:
        """The last failure of each bucket that is failing now."""
        return {name: outage.detail for name, outage in self._outages.items() if outage.over_at is None}

    def card(self, stream: str) -> Card | None:
        """Where the card of a stream is, as far as this process knows."""
        return self._carrier.card(stream)

    def last_waiting(self, stream: str) -> Letter | None:
        """The last letter of a stream, if it is neither under way nor may have arrived."""
        queue = self._streams.get(stream)
        if queue is None or len(queue.letters) <= _begun(queue):
            return None
        return queue.letters[-1]

    def superseded_by(self, letters: Sequence[Letter]) -> list[int]:
        """Ids of unsent letters that `letters` make superfluous: earlier edits, because only the newest
        drawing of a card matters, and pages that nobody need answer any more."""
        old: list[int] = []
        for letter in letters:
            if letter.kind is not LetterKind.EDIT:
                continue
            over = calls_nobody(letter)
            # What goes to other channels about the same has streams of its own, named after this one.
            names = [name for name in self._streams if name.startswith(f"{letter.stream}:")] if over else []
            for name in (letter.stream, *names):
                stream = self._streams.get(name)
                if stream is None:
                    continue
                waiting = itertools.islice(stream.letters, _begun(stream), None)
                old += [
                    earlier.id
                    for earlier in waiting
                    if (earlier.kind is LetterKind.EDIT and name == letter.stream)
                    or (over and earlier.template in PAGES)
                ]
        return old

    @contextmanager
    def holding(self, letters: Iterable[int]) -> Iterator[None]:
        """Begin to send none of those as long as the block runs: it writes down that others stand for them,
        and what they say must not be said twice."""
        held = set(letters)
        self._held |= held
        try:
            yield
        finally:
            self._held -= held
            streams, self._held_back = self._held_back, []
            for name, stream in streams:
                self._queue(name, stream)

    def accept(self, letters: Sequence[Letter], superseded: Iterable[int] = ()) -> None:
        """Queue letters that have been written down (or kept, when the database cannot be written).

        `superseded` are the ids that were written down as such with them: exactly those, because a restart
        sends whatever the database calls unsent.
        """
        gone = set(superseded)
        for letter in letters:
            stream = self._streams.setdefault(letter.stream, Stream())
            head, urgency = (stream.letters[0], stream.urgency) if stream.letters else (None, None)
            gone -= _take_back(stream, gone)
            stream.letters.append(letter)
            if stream.letters[0] is not head:
                stream.in_doubt = stream.letters[0].leased_until is not None
                self._queue(letter.stream, stream)
            elif stream.queued is not None and urgency is not None and stream.urgency < urgency:
                # It may not go before what waits in front of it, so that has to hurry too.
                self._line_up(letter.stream, stream, stream.queued)
        if gone:
            self._take_back_elsewhere(gone)
        self._wake.set()

    def _take_back_elsewhere(self, gone: set[int]) -> None:
        """Forget letters of streams to which nothing new has come."""
        for name, stream in list(self._streams.items()):
            head = stream.letters[0]
            if not _take_back(stream, gone):
                continue
            if not stream.letters:
                del self._streams[name]
            elif stream.letters[0] is not head:
                stream.in_doubt = stream.letters[0].leased_until is not None
                self._queue(name, stream)

    async def run(self) -> None:
        """Send what may be sent, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            wait = self._dispatch(loop.time())
            if wait is None:
                await self._wake.wait()
                continue
            try:
                async with asyncio.timeout(wait):
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
        for bucket in self._buckets.values():
            while self._busy.get(bucket.name, 0) < self._at_once(bucket):
                wait = bucket.wait(now)
                if wait is None:
                    break
                if wait > 0:
                    waits.append(wait)
                    break
                letter_id, name = bucket.take()
                stream = self._streams.get(name)
                if stream is None or stream.queued != letter_id:
                    continue  # that letter was superseded meanwhile
                stream.queued = None
                if letter_id in self._held:
                    self._held_back.append((name, stream))
                    continue
                bucket.spend()
                stream.in_flight = True
                self._busy[bucket.name] = self._busy.get(bucket.name, 0) + 1
                task = asyncio.create_task(self._carry(name, stream, bucket))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return min(waits, default=None)

    def _queue(self, name: str, stream: Stream) -> None:
        """Queue a stream by its oldest letter, unless it is under way, rests after a failure, or waits."""
        if stream.letters and not stream.in_flight and not stream.resting:
            letter = stream.letters[0]
            if stream.queued == letter.id:
                return
            stream.queued = letter.id
            self._line_up(name, stream, letter.id)
            self._wake.set()

    def _line_up(self, name: str, stream: Stream, letter_id: int) -> None:
        """Give a stream its place: it is as urgent as its most urgent letter, which can't go before the
        oldest does. While nothing gets through, those go first that have been tried least: one that is at
        fault itself must not be what always finds out for the others."""
        bucket = self._bucket(stream.letters[0])
        outage = self._outages.get(bucket.name)
        tried = stream.failures if outage is not None and outage.is_common else 0
        bucket.add(stream.urgency + tried * len(Priority), letter_id, name)

    def _at_once(self, bucket: Bucket) -> int:
        """How many of its letters may be under way: one, while that is to find out for all."""
        outage = self._outages.get(bucket.name)
        return 1 if outage is not None and outage.is_common else self._policy.at_once

    def _bucket(self, letter: Letter) -> Bucket:
        name = EDITS if letter.kind is LetterKind.EDIT else letter.channel
        bucket = self._buckets.get(name)
        if bucket is None:
            allowance = self._policy.edits if name == EDITS else self._policy.posts
            bucket = self._buckets[name] = Bucket(name, allowance)
        return bucket

    async def _carry(self, name: str, stream: Stream, bucket: Bucket) -> None:
        """Send the oldest letter of a stream and see to what comes of it."""
        letter = stream.letters[0]
        retry: float | None
        try:
            retry = await self._try(letter, name, stream, bucket)
        except Exception:  # a bug in one letter must neither stop the others nor lose this one
            log.exception("letter_not_sent", letter=letter.id, template=letter.template)
            stream.failures += 1
            retry = self._policy.longest_retry
        finally:
            stream.in_flight = False
            self._busy[bucket.name] -= 1
        if retry is None:
            self._queue(name, stream)
        else:
            self._later(retry, name, stream)
        self._tell_if_caught_up(bucket)
        self._wake.set()

    async def _try(self, letter: Letter, name: str, stream: Stream, bucket: Bucket) -> float | None:
        """Send a letter; seconds until the next try, None when there is none because it is sent or buried."""
        if self._clock() - letter.created_at > self._policy.give_up_after:
            await self._bury(letter, stream.failures, self.failing.get(bucket.name, "too old"))
            self._done(name, stream)
            return None
        try:
            await self._carrier.send(letter, stream)
        except Permanent as error:
            self._recovered(bucket)  # a refusal is an answer
            await self._bury(letter, stream.failures + 1, error.detail)
        except DeliveryFailed as error:
            return self._failed(name, stream, bucket, error)
        else:
            self._recovered(bucket)
        self._done(name, stream)
        return None

    def _done(self, name: str, stream: Stream) -> None:
        stream.letters.popleft()
        stream.failures = 0
        stream.in_doubt = bool(stream.letters) and stream.letters[0].leased_until is not None
        if not stream.letters:
            self._streams.pop(name, None)

    def _failed(self, name: str, stream: Stream, bucket: Bucket, error: DeliveryFailed) -> float:
        """Note a failure; seconds until the next try."""
        stream.failures += 1
        outage = self._note_outage(name, bucket, error)
        if isinstance(error, Temporary) and error.retry_after is not None:
            bucket.refused(asyncio.get_running_loop().time(), error.retry_after)
            return 0.0
        bucket.refund()  # what was not taken has used up nothing
        policy = self._policy
        longest = min(policy.longest_retry, policy.first_retry * 2.0 ** min(stream.failures - 1, 16))
        # Half of it fixed, half by chance, so that many streams don't come back at the same instant.
        wait = longest / 2 + random.uniform(0, longest / 2)  # noqa: S311 - spreads load, guards no secret
        if isinstance(error, Blocked) and bucket.name != EDITS:
            # One letter finds out for all of them whether it is mended. Edits go to many channels.
            bucket.pause(asyncio.get_running_loop().time(), wait)
            return 0.0
        if outage.is_common:
            # It is not this letter, it is Slack: all wait, and then one of them is tried.
            common = min(max(outage.pause(self._clock()), policy.first_retry), policy.longest_retry)
            bucket.pause(asyncio.get_running_loop().time(), common)
            return 0.0
        return wait

    def _note_outage(self, stream: str, bucket: Bucket, error: DeliveryFailed) -> Outage:
        now = self._clock()
        outage = self._outages.get(bucket.name)
        if outage is None:
            log.warning("slack_does_not_take_letters", bucket=bucket.name, detail=error.detail)
            outage = self._outages[bucket.name] = Outage(now, error.detail)
        if not _is_its_own(error, bucket):
            outage.failed(stream, now)
        told = outage.blocked
        outage.detail, outage.over_at = error.detail, None
        outage.blocked = error.detail if isinstance(error, Blocked) else None
        if outage.blocked is not None and outage.blocked != told and bucket.name != EDITS:
            self._on_blocked(bucket.name, outage.blocked)
        return outage

    def _recovered(self, bucket: Bucket) -> None:
        outage = self._outages.get(bucket.name)
        if outage is None:
            return
        if outage.over_at is None:
            log.info("slack_takes_letters_again", bucket=bucket.name)
            outage.over_at = self._clock()
        outage.sent += 1
        if outage.failing:
            outage.failing.clear()
            self._hurry(bucket)

    def _hurry(self, bucket: Bucket) -> None:
        """Slack takes letters again: those that failed go at once, the most urgent first. One that has
        failed often by itself goes on at its own pace."""
        for name, stream in list(self._streams.items()):
            if not stream.failures or self._bucket(stream.letters[0]) is not bucket:
                continue
            if stream.queued is not None:
                self._line_up(name, stream, stream.queued)
            elif stream.rest is not None and stream.failures <= _OFTEN:
                stream.rest.cancel()
                self._retries.discard(stream.rest)
                self._rested(name, stream)

    def _rested(self, name: str, stream: Stream) -> None:
        stream.resting, stream.rest = False, None
        self._queue(name, stream)

    def _tell_if_caught_up(self, bucket: Bucket) -> None:
        """Once nothing of an outage waits any more, say how long it was, if it was long."""
        outage = self._outages.get(bucket.name)
        if outage is None or outage.over_at is None or len(bucket) or self._busy[bucket.name]:
            return
        del self._outages[bucket.name]
        # That people had to mend something was told when it began.
        if outage.blocked is None and outage.over_at - outage.since >= self._policy.late_after:
            self._on_late(outage.since, outage.over_at, outage.sent)

    async def _bury(self, letter: Letter, tries: int, detail: str) -> None:
        now = self._clock()
        self._dead.append(now)
        log.error("letter_given_up", letter=letter.id, template=letter.template, detail=detail)
        await self._ledger.write([LetterDead(letter.id, now, detail)])
        self._on_dead(replace(letter, attempts=letter.attempts + tries), detail)

    def _later(self, seconds: float, name: str, stream: Stream) -> None:
        stream.resting = True

        def again() -> None:
            self._retries.discard(handle)
            self._rested(name, stream)

        handle = stream.rest = asyncio.get_running_loop().call_later(seconds, again)
        self._retries.add(handle)


def _begun(stream: Stream) -> int:
    """How many letters of a stream can no longer be taken back: the oldest, if it is under way or may have
    arrived."""
    return 1 if stream.in_flight or stream.in_doubt else 0


def _take_back(stream: Stream, gone: set[int]) -> set[int]:
    """Forget those letters of a stream, but what is under way; the ids of those that were there."""
    if not gone:
        return set()
    there = {letter.id for letter in stream.letters} & gone
    head = stream.letters[0] if stream.in_flight else None
    if there:
        stream.letters = deque(
            letter for letter in stream.letters if letter.id not in there or letter is head
        )
    return there


def _is_its_own(error: DeliveryFailed, bucket: Bucket) -> bool:
    """Whether a failure says nothing about the others: that there were too many is no outage, and edits go to
    many channels."""
    if isinstance(error, Temporary) and error.retry_after is not None:
        return True
    return isinstance(error, Blocked) and bucket.name == EDITS
