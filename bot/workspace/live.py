"""The stream of changes that pages follow."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import replace

from bot.workspace.model import Change, ChangeKind

_REMEMBERED = 4000
_QUEUE_LIMIT = 4000


class Subscription:
    """An asynchronous iterator of the changes one user may see. Ends after `aclose()`."""

    def __init__(self, feed: Feed, user_id: str) -> None:
        self._feed = feed
        self.user_id = user_id
        self._queue: deque[Change] = deque()
        self._wake = asyncio.Event()
        self._closed = False

    def offer(self, change: Change) -> None:
        """Take a change if the user may see it. A reader that fell far behind is told to draw anew."""
        if change.audience is not None and self.user_id not in change.audience:
            return
        if len(self._queue) >= _QUEUE_LIMIT:
            self._queue.clear()
            change = Change(id=change.id, kind=ChangeKind.CHANNEL_CHANGED)
        self._queue.append(change)
        self._wake.set()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Change:
        while not self._queue:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._queue.popleft()

    async def aclose(self) -> None:
        """Stop following; a waiting reader ends."""
        self.close()

    def close(self) -> None:
        """The same, outside a coroutine."""
        self._closed = True
        self._feed.forget(self)
        self._wake.set()


class Feed:
    """Numbers changes, remembers the latest, hands each to its followers."""

    def __init__(self) -> None:
        self._past: deque[Change] = deque(maxlen=_REMEMBERED)
        self._followers: set[Subscription] = set()
        self._last = time.time_ns() // 1_000_000
        self._floor = self._last
        """the latest change that is no longer remembered"""

    @property
    def last(self) -> int:
        """The id of the latest change."""
        return self._last

    def publish(self, change: Change) -> Change:
        """Number a change and hand it out; the number it came with is replaced."""
        self._last = max(self._last + 1, time.time_ns() // 1_000_000)
        change = replace(change, id=self._last)
        if len(self._past) == self._past.maxlen:
            self._floor = self._past[0].id
        self._past.append(change)
        for follower in list(self._followers):
            follower.offer(change)
        return change

    def follow(self, user_id: str, after: int | None) -> Subscription:
        """Follow from now on, or from the change after `after`."""
        subscription = Subscription(self, user_id)
        if after is not None:
            if after < self._floor or after > self._last:
                subscription.offer(Change(id=self._last, kind=ChangeKind.CHANNEL_CHANGED))
            else:
                for change in self._past:
                    if change.id > after:
                        subscription.offer(change)
        self._followers.add(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Drop a follower."""
        self._followers.discard(subscription)

    def is_followed_by(self, user_id: str) -> bool:
        """Whether the user has a page open."""
        return any(follower.user_id == user_id for follower in self._followers)

    def close(self) -> None:
        """End all subscriptions."""
        for follower in list(self._followers):
            follower.close()
