"""What a user of the workspace can read and follow."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bot.workspace.errors import SlackError
from bot.workspace.ids import stamp_to_micros
from bot.workspace.live import Subscription
from bot.workspace.mentions import paged_by
from bot.workspace.model import (
    App,
    Channel,
    ChannelKind,
    Command,
    File,
    Message,
    Shortcut,
    User,
    UserGroup,
    View,
)
from bot.workspace.parts import Parts


class Reading(Parts):
    """Reads the book as a user sees it. Synchronous and cheap."""

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
        if not self._may_read(viewer, channel_id):
            raise SlackError("channel_not_found")
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
        return self.book.channel_named(name)

    def last_change(self) -> int:
        """The id of the latest change."""
        return self.feed.last

    def subscribe(self, user_id: str, after: int | None = None) -> Subscription:
        """Changes that the user may see, from now on or from the change after id `after`.

        Close it with `aclose()` when it isn't needed any more. When `after` is older than what is still
        remembered, the first change is a `CHANNEL_CHANGED` without a channel: draw everything anew.
        """
        return self.feed.follow(user_id, after)

    def _may_read(self, user_id: str, channel_id: str) -> bool:
        channel = self.book.channels.get(channel_id)
        return channel is not None and (channel.kind is ChannelKind.PUBLIC or user_id in channel.members)
