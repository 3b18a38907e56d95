"""The parts of a workspace, put together."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.workspace.book import Book
from bot.workspace.delivery import Delivery
from bot.workspace.events import Events
from bot.workspace.faults import Faults
from bot.workspace.http_delivery import HttpTransport
from bot.workspace.interactions import Interactions
from bot.workspace.live import Feed
from bot.workspace.payloads import Payloads
from bot.workspace.plan import Plan
from bot.workspace.posts import Posts
from bot.workspace.rates import Limiter
from bot.workspace.responses import Responses
from bot.workspace.settings import RateLimits, Timings
from bot.workspace.sockets import Sockets
from bot.workspace.tickets import Tickets
from bot.workspace.views import Views
from bot.workspace.wire import Wire


class Parts:
    """Everything a workspace consists of; `bot.workspace.core.Workspace` is what uses it."""

    def __init__(
        self, state_dir: Path, timings: Timings | None = None, rate_limits: RateLimits | None = None
    ) -> None:
        self.timings = timings or Timings()
        self.book = Book(state_dir)
        self.feed = Feed()
        self.wire = Wire(self.book)
        self.limiter = Limiter(rate_limits or RateLimits())
        self.sockets = Sockets(self.timings)
        self.http = HttpTransport(self.book, self.timings)
        self.delivery = Delivery(self.sockets, self.http, self.timings)
        self.events = Events(self.book, self.wire, self.delivery)
        self.posts = Posts(self.book, self.feed, self.events, self.timings)
        self.views = Views(self.book, self.feed)
        self.tickets = Tickets(self.timings)
        self.responses = Responses(self.book, self.posts, self.tickets)
        self.interactions = Interactions(
            self.book,
            self.posts,
            self.views,
            Payloads(self.book, self.wire, self.tickets),
            self.responses,
            self.delivery,
        )
        self.plan = Plan(self.book, self.posts)
        self.faults = Faults(self.book, self.posts, self.events, self.sockets, self.delivery)

    async def close(self) -> None:
        """End subscriptions and deliveries and write everything to disk."""
        self.feed.close()
        await self.sockets.close()
        await self.delivery.close()
        await self.http.close()
        await asyncio.to_thread(self.book.close)
