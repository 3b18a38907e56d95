"""The workspace as its page sees it: what a user reads, does and is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from pydantic import JsonValue

from bot.workspace.book import Book
from bot.workspace.content import TEXT_CUT
from bot.workspace.delivery import Delivery, new_envelope_id
from bot.workspace.errors import SlackError
from bot.workspace.events import Events
from bot.workspace.faults import Faults
from bot.workspace.http_delivery import HttpTransport
from bot.workspace.ids import stamp_to_micros
from bot.workspace.interactions import Interactions
from bot.workspace.live import Feed, Subscription
from bot.workspace.mentions import from_typed, paged_by
from bot.workspace.model import (
    App,
    Channel,
    ChannelKind,
    Command,
    Container,
    File,
    JsonObject,
    Message,
    Outcome,
    Shortcut,
    Submission,
    User,
    UserGroup,
    View,
)
from bot.workspace.payloads import Payloads
from bot.workspace.plan import Plan
from bot.workspace.posts import Posts
from bot.workspace.rates import Limiter
from bot.workspace.responses import Responses
from bot.workspace.settings import RateLimits, Timings
from bot.workspace.sockets import Sockets
from bot.workspace.tickets import Tickets
from bot.workspace.uploads import keep_file
from bot.workspace.views import Views
from bot.workspace.wire import Wire


class Workspace:
    """One workspace in memory, written behind to its state directory.

    Reading is synchronous and cheap; acting is a coroutine that returns when the app has answered or has
    had its three seconds. Every method must be called in the event loop that the server runs in. Acting
    raises `bot.workspace.errors.SlackError` (`.code` is Slack's error name) when it can't be done.
    """

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
        self.faults = Faults(self)

    async def close(self) -> None:
        """End subscriptions and deliveries and write everything to disk."""
        self.feed.close()
        await self.sockets.close()
        await self.delivery.close()
        await self.http.close()
        await asyncio.to_thread(self.book.close)

    # Reading

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self.book.team.name

    def users(self) -> list[User]:
        """All people, then all bots, in the order of their creation."""
        return sorted(self.book.users.values(), key=lambda user: user.is_bot)

    def user(self, user_id: str) -> User | None:
        """The user of that id; None when there is none."""
        return self.book.users.get(user_id)

    def user_groups(self) -> list[UserGroup]:
        """All user groups."""
        return list(self.book.groups.values())

    def apps(self) -> list[App]:
        """All installed apps."""
        return list(self.book.apps.values())

    def app(self, app_id: str) -> App | None:
        """The app of that id; None when there is none."""
        return self.book.apps.get(app_id)

    def app_online(self, app_id: str) -> bool:
        """Whether the app has a Socket Mode connection now (always True for an HTTP app)."""
        app = self.book.apps.get(app_id)
        return app is not None and (not app.socket_mode or self.sockets.online(app_id))

    def channel(self, channel_id: str) -> Channel | None:
        """The channel of that id; None when there is none."""
        return self.book.channels.get(channel_id)

    def channels_for(self, user_id: str) -> list[Channel]:
        """Public channels, then private ones and direct conversations that the user is in.

        There is a direct conversation with the bot of every app. Archived channels are included.
        """
        order = list(ChannelKind)
        shown = [
            channel
            for channel in self.book.channels.values()
            if channel.kind is ChannelKind.PUBLIC or user_id in channel.members
        ]
        return sorted(shown, key=lambda channel: order.index(channel.kind))

    def messages(
        self,
        channel_id: str,
        viewer: str,
        thread_ts: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[Message]:
        """The latest messages that the viewer can see, oldest first, with his ephemeral ones.

        Without `thread_ts`: the channel's own messages and broadcast replies. With it: the thread, its parent
        first. `before` is a `ts`: only older messages.
        """
        self._readable(viewer, channel_id)
        own = self.book.ephemeral(channel_id, viewer)
        if thread_ts is None:
            source: Iterator[Message] = self.book.newest_first(channel_id)
            own = [message for message in own if message.thread_ts is None]
        else:
            source = reversed(self.book.thread(channel_id, thread_ts))
            own = [message for message in own if message.thread_ts == thread_ts]
        edge = None if before is None else stamp_to_micros(before)
        older = (m for m in source if edge is None or stamp_to_micros(m.ts) < edge)
        page = list(islice(older, limit))
        own = [m for m in own if edge is None or stamp_to_micros(m.ts) < edge]
        merged = sorted([*page, *own], key=lambda message: stamp_to_micros(message.ts))
        return merged[-limit:]

    def message(self, channel_id: str, ts: str, viewer: str) -> Message | None:
        """One message, ephemeral ones of the viewer included; None when there is none it is hidden."""
        if not self._may_read(viewer, channel_id):
            return None
        shown = self.book.message(channel_id, ts)
        return shown or self.book.ephemerals.get((channel_id, viewer), {}).get(ts)

    def file(self, file_id: str) -> File | None:
        """The file of that id; None when there is none."""
        return self.book.files.get(file_id)

    def file_path(self, file_id: str) -> Path:
        """Where the file's bytes are."""
        return self.book.files_dir / file_id

    def home(self, app_id: str, user_id: str) -> View | None:
        """The Home tab that the app published for the user; None when it never did."""
        return self.book.homes.get(f"{app_id}/{user_id}")

    def open_views(self, user_id: str) -> list[View]:
        """The user's stack of modals, bottom first."""
        return self.views.stack(user_id)

    def view(self, view_id: str) -> View | None:
        """An open modal or a published Home tab by its id."""
        return self.views.find(view_id)

    def commands(self) -> list[Command]:
        """All slash commands of all apps, for the composer."""
        return [command for app in self.apps() for command in app.commands]

    def shortcuts(self, kind: str | None = None) -> list[Shortcut]:
        """All shortcuts of all apps; only `global` or `message` ones when `kind` says so."""
        return [s for app in self.apps() for s in app.shortcuts if kind is None or s.kind == kind]

    def mentioned(self, message: Message) -> frozenset[str]:
        """Ids of the users whom the message pages, by name, group or broadcast."""
        return paged_by(message, self.book.channels[message.channel], self.book)

    def channel_named(self, name: str) -> Channel:
        """The channel of that id or name. Raises SlackError `channel_not_found`."""
        wanted = name.removeprefix("#")
        for channel in self.book.channels.values():
            if wanted and wanted in (channel.id, channel.name):
                return channel
        raise SlackError("channel_not_found")

    # Acting as a user

    async def post_as_user(
        self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None, broadcast: bool = False
    ) -> Message:
        """Post what the user typed; `@name` and `#channel` become mentions, `&<>` are escaped."""
        channel = self._writable(user_id, channel_id)
        text = text.strip()
        if not text:
            raise SlackError("no_text")
        message = Message(
            channel=channel.id,
            ts="",
            user=user_id,
            text=from_typed(text, self.book)[:TEXT_CUT],
            thread_ts=thread_ts,
            broadcast=broadcast and thread_ts is not None,
            client_msg_id=new_envelope_id(),
        )
        return self.posts.post(message)

    async def edit_own_message(self, user_id: str, channel_id: str, ts: str, text: str) -> Message:
        """Change the text of the user's own message."""
        message = self._own(user_id, channel_id, ts)
        if message.ephemeral_for is not None:
            raise SlackError("cant_update_message")
        if not self.posts.may_still_edit(message):
            raise SlackError("edit_window_closed")
        if not text.strip():
            raise SlackError("no_text")
        changed = replace(message, text=from_typed(text.strip(), self.book)[:TEXT_CUT])
        return self.posts.edit(message, changed, user_id)

    async def delete_own_message(self, user_id: str, channel_id: str, ts: str) -> None:
        """Delete the user's own message, or dismiss one of his ephemeral messages."""
        self.posts.delete(self._own(user_id, channel_id, ts))

    async def react(self, user_id: str, channel_id: str, ts: str, name: str) -> None:
        """Add the user's reaction, or take it back when he had given it. `name` has no colons."""
        self._readable(user_id, channel_id)
        message = self.book.message(channel_id, ts)
        if message is None:
            raise SlackError("message_not_found")
        if any(r.name == name and user_id in r.users for r in message.reactions):
            self.posts.unreact(message, user_id, name)
        else:
            self.posts.react(message, user_id, name)

    async def upload_as_user(
        self,
        user_id: str,
        channel_id: str,
        name: str,
        content: bytes,
        text: str = "",
        thread_ts: str | None = None,
    ) -> Message:
        """Upload a file and share it in a message."""
        channel = self._writable(user_id, channel_id)
        file = await keep_file(self.book, user_id, name, content)
        self.book.put_file(replace(file, channels=(channel.id,), complete=True))
        message = self.posts.post(
            Message(
                channel=channel.id,
                ts="",
                user=user_id,
                text=from_typed(text.strip(), self.book),
                files=(file.id,),
                thread_ts=thread_ts,
                subtype="file_share",
            )
        )
        self.events.file_shared(file.id, channel.id, user_id, message.ts)
        return message

    async def join_channel(self, user_id: str, channel_id: str) -> Channel:
        """Make the user a member of a public channel."""
        channel = self._readable(user_id, channel_id)
        if channel.is_archived:
            raise SlackError("is_archived")
        if user_id in channel.members:
            return channel
        joined = replace(channel, members=(*channel.members, user_id))
        return self.posts.change_channel(joined, "member_joined_channel", user_id)

    async def run_command(
        self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None
    ) -> Outcome:
        """Run a slash command as typed, `/name arguments`.

        Failures are also told to the user as a `Notice`: `unknown_command`, `dispatch_failed` (the app is
        not connected or answered with an error) or `operation_timeout` (no acknowledgement within 3 s).
        """
        self._readable(user_id, channel_id)
        return await self.interactions.run_command(self._person(user_id), channel_id, text)

    async def click(
        self,
        user_id: str,
        container: Container,
        action: Mapping[str, JsonValue],
        state_values: JsonObject | None = None,
    ) -> Outcome:
        """Use an interactive element: a button, a menu, a date picker, an input with `dispatch_action`.

        `action` holds `block_id`, `action_id` and what was chosen, named as in Slack's payload
        (`selected_option` or `selected_options` with at least `value`, `selected_date`, `selected_time`,
        `selected_user`, `selected_users`, `selected_channel`, `selected_conversation`, `value` of a text
        input). Everything else is taken from the element itself. `state_values` is what all inputs of the
        container hold now.
        """
        return await self.interactions.click(self._person(user_id), container, action, state_values)

    async def submit_view(self, user_id: str, view_id: str, state_values: JsonObject) -> Submission:
        """Submit a modal with `{block_id: {action_id: {"type": …, "value": …}}}`.

        A form that isn't filled in comes back with `errors` at once and the app does not hear of it.
        """
        return await self.interactions.submit(self._person(user_id), view_id, state_values)

    async def close_view(self, user_id: str, view_id: str, clear: bool = False) -> None:
        """Close a modal, or with `clear` the whole stack; the app hears of it if it asked to."""
        self.interactions.close_view(self._person(user_id), view_id, clear=clear)

    async def open_home(self, user_id: str, app_id: str, tab: str = "home") -> None:
        """Open the app's `home` or `messages` tab, which the app is told."""
        self._person(user_id)
        app = self.book.apps.get(app_id)
        if app is None:
            raise SlackError("app_not_found")
        at = self.book.stamps.next()
        self.events.home_opened(app, user_id, tab, self.home(app_id, user_id), at)

    async def suggest_options(
        self, user_id: str, container: Container, block_id: str, action_id: str, typed: str
    ) -> Sequence[JsonObject]:
        """Options or option groups from the app for an external select; empty when it did not answer."""
        return await self.interactions.suggest(self._person(user_id), container, block_id, action_id, typed)

    async def run_shortcut(
        self, user_id: str, app_id: str, callback_id: str, container: Container | None = None
    ) -> Outcome:
        """Run a global shortcut, or with a message's container a message shortcut."""
        app = self.book.apps.get(app_id)
        if app is None:
            raise SlackError("app_not_found")
        return await self.interactions.shortcut(self._person(user_id), app, callback_id, container)

    # Live

    def last_change(self) -> int:
        """The id of the latest change."""
        return self.feed.last

    def subscribe(self, user_id: str, after: int | None = None) -> Subscription:
        """Changes that the user may see, from now on or from the change after id `after`.

        Close it with `aclose()` when it isn't needed any more. When `after` is older than what is still
        remembered, the first change is a `CHANNEL_CHANGED` without a channel: draw everything anew.
        """
        return self.feed.follow(user_id, after)

    # Who may

    def _person(self, user_id: str) -> User:
        user = self.book.users.get(user_id)
        if user is None or user.deleted or user.is_bot:
            raise SlackError("user_not_found")
        self.posts.saw(user_id)
        return user

    def _may_read(self, user_id: str, channel_id: str) -> bool:
        channel = self.book.channels.get(channel_id)
        return channel is not None and (channel.kind is ChannelKind.PUBLIC or user_id in channel.members)

    def _readable(self, user_id: str, channel_id: str) -> Channel:
        self._person(user_id)
        if not self._may_read(user_id, channel_id):
            raise SlackError("channel_not_found")
        return self.book.channels[channel_id]

    def _writable(self, user_id: str, channel_id: str) -> Channel:
        channel = self._readable(user_id, channel_id)
        if channel.is_archived:
            raise SlackError("is_archived")
        if user_id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def _own(self, user_id: str, channel_id: str, ts: str) -> Message:
        message = self.message(channel_id, ts, self._person(user_id).id)
        if message is None:
            raise SlackError("message_not_found")
        if message.user != user_id and message.ephemeral_for != user_id:
            raise SlackError("cant_update_message")
        return message
