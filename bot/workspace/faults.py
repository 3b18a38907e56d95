"""Things that go wrong on purpose, so that an app can be tried against them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from bot.workspace.book import Book
from bot.workspace.delivery import Delivery
from bot.workspace.errors import SlackError
from bot.workspace.events import Events
from bot.workspace.posts import Posts
from bot.workspace.sockets import Sockets


class FaultKind(StrEnum):
    """How a call fails."""

    ERROR = "error"
    """HTTP 200 with an error name"""
    HTTP = "http"
    """an HTTP status without JSON, 500 if nothing else is said"""
    RATE_LIMITED = "ratelimited"
    """HTTP 429 with Retry-After"""
    HANG = "hang"
    """taken and never answered, nothing done"""
    ACCEPT_AND_HANG = "accept_and_hang"
    """done, and never answered"""
    DROP = "drop"
    """the connection is cut"""


@dataclass(frozen=True, slots=True)
class Fault:
    """One standing order. It ends after `times` calls or at `until` (monotonic seconds)."""

    method: str
    """a method, or `*` for all"""
    kind: FaultKind
    error: str = "internal_error"
    status: int = 500
    retry_after: int = 1
    times: int | None = None
    until: float | None = None


class Door(Protocol):
    """What lets callers in."""

    async def away(self, seconds: float) -> None:
        """Take no connections for a while."""
        ...

    async def back(self) -> None:
        """Take connections again."""
        ...


class Faults:
    """All standing orders, and what can be done at once."""

    def __init__(
        self, book: Book, posts: Posts, events: Events, sockets: Sockets, delivery: Delivery
    ) -> None:
        self._book = book
        self._posts = posts
        self._events = events
        self._sockets = sockets
        self._delivery = delivery
        self._orders: list[Fault] = []
        self.released = asyncio.Event()
        """set when hanging calls have to end"""
        self.door: Door | None = None

    @property
    def orders(self) -> tuple[Fault, ...]:
        """What still stands."""
        return tuple(self._orders)

    def add(
        self,
        method: str,
        kind: FaultKind,
        *,
        times: int | None = None,
        seconds: float | None = None,
        error: str = "internal_error",
        status: int = 500,
        retry_after: int = 1,
    ) -> None:
        """Let the next `times` calls fail, or all for `seconds`; with neither the next one."""
        if times is None and seconds is None:
            times = 1
        until = None if seconds is None else time.monotonic() + seconds
        self._orders.append(Fault(method, kind, error, status, retry_after, times, until))

    def take(self, method: str) -> Fault | None:
        """The order that this call falls under, counted; None when it may pass."""
        moment = time.monotonic()
        self._orders = [o for o in self._orders if o.until is None or o.until > moment]
        for index, order in enumerate(self._orders):
            if order.method in ("*", method):
                if order.times is not None:
                    if order.times <= 1:
                        del self._orders[index]
                    else:
                        self._orders[index] = replace(order, times=order.times - 1)
                return order
        return None

    async def clear(self) -> None:
        """End all standing orders, release hanging calls, be back."""
        self._orders.clear()
        self._sockets.duplicates = 0
        released, self.released = self.released, asyncio.Event()
        released.set()
        if self.door is not None:
            await self.door.back()

    # At once

    def drop_sockets(self) -> int:
        """Cut all Socket Mode connections; returns how many."""
        return self._sockets.drop()

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send `disconnect`: `warning`, `refresh_requested` or `link_disabled`."""
        await self._sockets.disconnect(None, reason)

    def refresh(self) -> None:
        """Warn all connections now and ask them to reconnect ten seconds later."""
        self._delivery.start(self._sockets.refresh(None))

    def duplicate(self, envelopes: int = 1) -> None:
        """Send the next envelopes twice."""
        self._sockets.duplicates = envelopes

    def archive(self, name: str, archived: bool = True) -> None:
        """Archive a channel by its id or name, or bring it back."""
        channel = self._book.channel_named(name)
        event = "channel_archive" if archived else "channel_unarchive"
        changed = replace(channel, is_archived=archived)
        self._posts.change_channel(changed, event, channel.creator)

    def remove_bot(self, name: str) -> None:
        """Take the bots out of a channel."""
        channel = self._book.channel_named(name)
        bots = {app.bot_user for app in list(self._book.apps.values())}
        members = tuple(member for member in channel.members if member not in bots)
        for bot in bots & set(channel.members):
            self._posts.change_channel(replace(channel, members=members), "member_left_channel", bot)

    def invite_bot(self, name: str) -> None:
        """Put all bots into a channel."""
        channel = self._book.channel_named(name)
        for app in list(self._book.apps.values()):
            if app.bot_user not in channel.members:
                channel = replace(channel, members=(*channel.members, app.bot_user))
                self._posts.change_channel(channel, "member_joined_channel", app.bot_user)

    def delete_message(self, name: str, ts: str) -> None:
        """Delete a message, as a person with the right to would. Raises SlackError."""
        channel = self._book.channel_named(name)
        message = self._book.message(channel.id, ts)
        if message is None:
            raise SlackError("message_not_found")
        self._posts.delete(message)

    def revoke(self, which: str = "bot", revoked: bool = True) -> None:
        """Revoke the `bot` or the `app` token of all apps, or make it valid again."""
        for app in list(self._book.apps.values()):
            credentials = self._book.credentials[app.id]
            token = credentials.app_token if which == "app" else credentials.bot_token
            self._book.revoke(token, revoked)
            if revoked and which == "bot":
                self._events.tokens_revoked(app)

    async def away(self, seconds: float) -> None:
        """Be unreachable: connections are cut and none is taken for a while."""
        if self.door is not None:
            await self.door.away(seconds)
