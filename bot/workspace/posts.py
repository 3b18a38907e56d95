"""Messages coming, changing and going, whoever does it."""

from __future__ import annotations

from dataclasses import replace

from bot.workspace.book import Book
from bot.workspace.errors import SlackError
from bot.workspace.events import Events, with_user, without_user
from bot.workspace.ids import now
from bot.workspace.live import Feed
from bot.workspace.model import Change, ChangeKind, Channel, ChannelKind, Edited, Message, Notice
from bot.workspace.settings import Timings


class Posts:
    """Keeps the book, tells pages and apps. Checks nothing about who may: its callers do."""

    def __init__(self, book: Book, feed: Feed, events: Events, timings: Timings) -> None:
        self._book = book
        self._feed = feed
        self._events = events
        self._timings = timings
        self._seen: dict[str, float] = {}

    # Who sees what

    def audience(self, channel: Channel) -> frozenset[str] | None:
        """The users who may read a channel; None for everyone."""
        return None if channel.kind is ChannelKind.PUBLIC else frozenset(channel.members)

    def saw(self, user_id: str) -> None:
        """The user did something, so he is online."""
        self._seen[user_id] = now()

    def is_online(self, user_id: str) -> bool:
        """Whether the user has a page open or did something a moment ago."""
        if self._feed.is_followed_by(user_id):
            return True
        return now() - self._seen.get(user_id, 0.0) < self._timings.presence

    # Messages

    def post(self, message: Message) -> Message:
        """Add a message with the next time stamp."""
        message = replace(message, ts=self._book.stamps.next())
        if message.thread_ts is not None:
            message = replace(message, thread_ts=self._thread_of(message.channel, message.thread_ts))
        self._book.put_message(message)
        self._publish(ChangeKind.MESSAGE_ADDED, message)
        if message.is_reply and message.thread_ts is not None:
            self._count_replies(message.channel, message.thread_ts)
        self._events.posted(message)
        return message

    def _thread_of(self, channel_id: str, thread_ts: str) -> str:
        parent = self._book.message(channel_id, thread_ts)
        if parent is None:
            if self._book.log(channel_id).replies.get(thread_ts):
                return thread_ts  # its parent was deleted, the thread goes on
            raise SlackError("thread_not_found")
        return parent.thread_ts or parent.ts

    def _count_replies(self, channel_id: str, thread_ts: str) -> None:
        parent = self._book.message(channel_id, thread_ts)
        if parent is None:
            return
        replies = [m for m in self._book.thread(channel_id, thread_ts) if m.is_reply]
        parent = replace(
            parent,
            thread_ts=thread_ts if replies else None,
            reply_count=len(replies),
            reply_users=tuple(dict.fromkeys(reply.user for reply in replies))[:5],
            latest_reply=replies[-1].ts if replies else None,
        )
        self._book.put_message(parent)
        self._publish(ChangeKind.MESSAGE_CHANGED, parent)

    def post_ephemeral(self, message: Message) -> Message:
        """Show a message to one user, if he is online; otherwise nobody ever sees it."""
        message = replace(message, ts=self._book.stamps.next())
        if message.ephemeral_for is not None and self.is_online(message.ephemeral_for):
            self._book.put_message(message)
            self._publish(ChangeKind.EPHEMERAL_ADDED, message)
        return message

    def edit(self, before: Message, after: Message, editor: str) -> Message:
        """Replace a message's content."""
        at = self._book.stamps.next()
        if before.ephemeral_for is None:
            after = replace(after, edited=Edited(editor, at))
            self._book.put_message(after)
            self._publish(ChangeKind.MESSAGE_CHANGED, after)
            self._events.edited(after, before, at)
        else:
            self._book.put_message(after)
            self._publish(ChangeKind.EPHEMERAL_CHANGED, after)
        return after

    def may_still_edit(self, message: Message) -> bool:
        """Whether the workspace's edit window is still open for the message."""
        window = self._timings.edit_window
        return window is None or now() - float(message.ts) <= window

    def delete(self, message: Message) -> None:
        """Remove a message; a thread's replies stay."""
        self._book.drop_message(message)
        if message.ephemeral_for is not None:
            self._publish(ChangeKind.EPHEMERAL_DELETED, message)
            return
        self._publish(ChangeKind.MESSAGE_DELETED, message)
        if message.is_reply and message.thread_ts is not None:
            self._count_replies(message.channel, message.thread_ts)
        self._events.deleted(message, self._book.stamps.next())

    def react(self, message: Message, user_id: str, name: str) -> Message:
        """Add a user's reaction. Raises SlackError `already_reacted`."""
        if any(r.name == name and user_id in r.users for r in message.reactions):
            raise SlackError("already_reacted")
        after = replace(message, reactions=with_user(message.reactions, name, user_id))
        return self._reacted(after, user_id, name, added=True)

    def unreact(self, message: Message, user_id: str, name: str) -> Message:
        """Take a user's reaction back. Raises SlackError `no_reaction`."""
        if not any(r.name == name and user_id in r.users for r in message.reactions):
            raise SlackError("no_reaction")
        after = replace(message, reactions=without_user(message.reactions, name, user_id))
        return self._reacted(after, user_id, name, added=False)

    def _reacted(self, message: Message, user_id: str, name: str, *, added: bool) -> Message:
        self._book.put_message(message)
        self._publish(ChangeKind.REACTION_CHANGED, message)
        self._events.reacted(message, user_id, name, self._book.stamps.next(), added=added)
        return message

    # Channels and notices

    def change_channel(self, channel: Channel, event: str, user_id: str) -> Channel:
        """Replace a channel and announce it under the event's name."""
        self._book.put_channel(channel)
        change = Change(0, ChangeKind.CHANNEL_CHANGED, channel=channel.id, audience=self.audience(channel))
        self._feed.publish(change)
        self._events.channel(event, channel, user_id, self._book.stamps.next())
        return channel

    def notify(self, user_id: str, notice: Notice, channel_id: str | None = None) -> None:
        """Tell one user something in Slack's own name."""
        audience = frozenset({user_id})
        change = Change(0, ChangeKind.NOTICE, channel=channel_id, notice=notice, audience=audience)
        self._feed.publish(change)

    def _publish(self, kind: ChangeKind, message: Message) -> None:
        channel = self._book.channels[message.channel]
        audience = self.audience(channel)
        if message.ephemeral_for is not None:
            audience = frozenset({message.ephemeral_for})
        self._feed.publish(
            Change(
                0,
                kind,
                channel=message.channel,
                ts=message.ts,
                thread_ts=message.thread_ts,
                message=message,
                audience=audience,
            )
        )
