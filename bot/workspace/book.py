"""What the workspace remembers: tables in memory, each change noted in the journal."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from pydantic import TypeAdapter

from bot.workspace.errors import SlackError
from bot.workspace.ids import Stamps, new_id, now, stamp_to_micros
from bot.workspace.journal import Journal
from bot.workspace.model import (
    App,
    Channel,
    ChannelKind,
    Credentials,
    File,
    Message,
    User,
    UserGroup,
    View,
)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A message that waits for its time (`post_at`, Unix seconds)."""

    id: str
    channel: str
    post_at: int
    created: float
    message: Message
    app_id: str


@dataclass(frozen=True, slots=True)
class Team:
    """The workspace itself."""

    id: str
    name: str
    domain: str


T = TypeVar("T")

_KINDS: dict[str, TypeAdapter[object]] = {
    name: cast(TypeAdapter[object], TypeAdapter(kind))
    for name, kind in {
        "team": Team,
        "user": User,
        "group": UserGroup,
        "channel": Channel,
        "app": App,
        "credentials": Credentials,
        "revoked": str,
        "message": Message,
        "file": File,
        "home": View,
        "scheduled": Scheduled,
    }.items()
}


@dataclass
class Log:
    """The messages of one channel by ts, oldest first, with its threads."""

    messages: dict[str, Message] = field(default_factory=dict)
    replies: dict[str, list[str]] = field(default_factory=dict)
    """ts of the replies by the ts of their parent"""


class Book:
    """All tables. Reading gives frozen values; changing goes through `put_…` and `drop_…`."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.files_dir = state_dir / "files"
        self.files_dir.mkdir(exist_ok=True)
        self.journal = Journal(state_dir / "workspace.sqlite3", _KINDS)
        self.users: dict[str, User] = self._load("user", User)
        self.groups: dict[str, UserGroup] = self._load("group", UserGroup)
        self.channels: dict[str, Channel] = self._load("channel", Channel)
        self.apps: dict[str, App] = self._load("app", App)
        self.credentials: dict[str, Credentials] = self._load("credentials", Credentials)
        self.revoked: set[str] = set(self._load("revoked", str).values())
        self.files: dict[str, File] = self._load("file", File)
        self.homes: dict[str, View] = self._load("home", View)
        self.scheduled: dict[str, Scheduled] = self._load("scheduled", Scheduled)
        self.ephemerals: dict[tuple[str, str], dict[str, Message]] = {}
        """by channel and user; like Slack's they don't outlive the session"""
        self.logs: dict[str, Log] = {channel_id: Log() for channel_id in self.channels}
        latest = "0"
        for message in sorted(self._load("message", Message).values(), key=lambda m: m.ts):
            self._index(message)
            latest = max(latest, message.ts, key=stamp_to_micros)
        self.stamps = Stamps(latest)
        teams = list(self._load("team", Team).values())
        self.team = teams[0] if teams else self._new_team()

    def _load(self, kind: str, of: type[T]) -> dict[str, T]:
        return {key: value for key, value in self.journal.load(kind) if isinstance(value, of)}

    def _new_team(self) -> Team:
        team = Team(new_id("T"), "Local Workspace", "local")
        self.journal.put("team", team.id, team)
        return team

    def close(self) -> None:
        """Write everything and close the file. Blocks for as long as that takes."""
        self.journal.close()

    # Messages

    def log(self, channel_id: str) -> Log:
        """The log of a channel, empty for a new one."""
        return self.logs.setdefault(channel_id, Log())

    def _index(self, message: Message) -> None:
        log = self.log(message.channel)
        known = message.ts in log.messages
        log.messages[message.ts] = message
        if message.is_reply and message.thread_ts is not None and not known:
            insort(log.replies.setdefault(message.thread_ts, []), message.ts)

    def message(self, channel_id: str, ts: str) -> Message | None:
        """A message that everybody in the channel sees."""
        return self.log(channel_id).messages.get(ts)

    def put_message(self, message: Message) -> None:
        """Add or replace a message; an ephemeral one stays in memory only."""
        if message.ephemeral_for is not None:
            self.ephemerals.setdefault((message.channel, message.ephemeral_for), {})[message.ts] = message
            return
        self._index(message)
        self.journal.put("message", f"{message.channel}/{message.ts}", message)

    def drop_message(self, message: Message) -> None:
        """Forget a message."""
        if message.ephemeral_for is not None:
            self.ephemerals.get((message.channel, message.ephemeral_for), {}).pop(message.ts, None)
            return
        log = self.log(message.channel)
        log.messages.pop(message.ts, None)
        if message.is_reply and message.thread_ts is not None:
            replies = log.replies.get(message.thread_ts, [])
            if message.ts in replies:
                replies.remove(message.ts)
        self.journal.put("message", f"{message.channel}/{message.ts}", None)

    def thread(self, channel_id: str, thread_ts: str) -> list[Message]:
        """A thread: its parent, if it is still there, and the replies, oldest first."""
        log = self.log(channel_id)
        stamps = [thread_ts, *log.replies.get(thread_ts, [])]
        return [log.messages[ts] for ts in stamps if ts in log.messages]

    def newest_first(self, channel_id: str) -> Iterator[Message]:
        """The channel's own messages and broadcast replies, newest first."""
        for message in reversed(self.log(channel_id).messages.values()):
            if not message.is_reply or message.broadcast:
                yield message

    def ephemeral(self, channel_id: str, user_id: str) -> list[Message]:
        """What only that user sees there, oldest first."""
        return list(self.ephemerals.get((channel_id, user_id), {}).values())

    # Everything else

    def put_user(self, user: User) -> None:
        """Add or replace a user."""
        self.users[user.id] = user
        self.journal.put("user", user.id, user)

    def put_group(self, group: UserGroup) -> None:
        """Add or replace a user group."""
        self.groups[group.id] = group
        self.journal.put("group", group.id, group)

    def put_channel(self, channel: Channel) -> None:
        """Add or replace a channel."""
        self.channels[channel.id] = channel
        self.journal.put("channel", channel.id, channel)

    def put_app(self, app: App, credentials: Credentials) -> None:
        """Add or replace an app."""
        self.apps[app.id] = app
        self.credentials[app.id] = credentials
        self.journal.put("app", app.id, app)
        self.journal.put("credentials", app.id, credentials)

    def revoke(self, token: str, revoked: bool = True) -> None:
        """Make a token invalid, or valid again."""
        if revoked:
            self.revoked.add(token)
        else:
            self.revoked.discard(token)
        self.journal.put("revoked", token, token if revoked else None)

    def put_file(self, file: File) -> None:
        """Add or replace a file's description."""
        self.files[file.id] = file
        self.journal.put("file", file.id, file)

    def put_home(self, view: View) -> None:
        """Publish a Home tab."""
        self.homes[f"{view.app_id}/{view.user_id}"] = view
        self.journal.put("home", f"{view.app_id}/{view.user_id}", view)

    def put_scheduled(self, scheduled: Scheduled) -> None:
        """Remember a message for later."""
        self.scheduled[scheduled.id] = scheduled
        self.journal.put("scheduled", scheduled.id, scheduled)

    def drop_scheduled(self, scheduled_id: str) -> None:
        """Forget a message for later."""
        self.scheduled.pop(scheduled_id, None)
        self.journal.put("scheduled", scheduled_id, None)

    def direct(self, user_id: str, other_id: str) -> Channel:
        """The direct conversation of two users, made when there is none."""
        for channel in self.channels.values():
            if channel.kind is ChannelKind.DIRECT and set(channel.members) == {user_id, other_id}:
                return channel
        channel = Channel(new_id("D"), "", ChannelKind.DIRECT, (user_id, other_id), int(now()), user_id)
        self.put_channel(channel)
        return channel

    def channel_named(self, name: str) -> Channel:
        """The channel of that id or name. Raises SlackError `channel_not_found`."""
        wanted = name.removeprefix("#")
        for channel in self.channels.values():
            if wanted and wanted in (channel.id, channel.name):
                return channel
        raise SlackError("channel_not_found")
