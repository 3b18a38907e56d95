"""Messages for later, posted when their time comes, after a restart too."""

from __future__ import annotations

import asyncio

import structlog

from bot.workspace.book import Book, Scheduled
from bot.workspace.errors import SlackError
from bot.workspace.ids import now
from bot.workspace.posts import Posts

_log = structlog.get_logger(__name__)


class Plan:
    """Waits for the next scheduled message in a task of its own."""

    def __init__(self, book: Book, posts: Posts) -> None:
        self._book = book
        self._posts = posts
        self._changed = asyncio.Event()

    def add(self, scheduled: Scheduled) -> None:
        """Plan a message."""
        self._book.put_scheduled(scheduled)
        self._changed.set()

    def remove(self, scheduled_id: str) -> None:
        """Take it back."""
        self._book.drop_scheduled(scheduled_id)
        self._changed.set()

    async def run(self) -> None:
        """Post what is due, for as long as the workspace runs."""
        while True:
            self._changed.clear()
            waiting = sorted(self._book.scheduled.values(), key=lambda scheduled: scheduled.post_at)
            delay = waiting[0].post_at - now() if waiting else None
            if delay is not None and delay <= 0:
                self._post(waiting[0])
                continue
            try:
                async with asyncio.timeout(delay):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _post(self, scheduled: Scheduled) -> None:
        self._book.drop_scheduled(scheduled.id)
        channel = self._book.channels.get(scheduled.channel)
        if channel is None or channel.is_archived:
            return
        try:
            self._posts.post(scheduled.message)
        except SlackError as error:
            _log.info("scheduled_message_lost", id=scheduled.id, error=error.code)
