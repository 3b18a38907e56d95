"""Which app hears of what: only events it subscribed to, has the scope for and can see."""

from __future__ import annotations

from bot.workspace.book import Book
from bot.workspace.delivery import Delivery, event_payload
from bot.workspace.ids import now
from bot.workspace.model import App, Channel, ChannelKind, JsonObject, Message, Reaction, View
from bot.workspace.wire import Wire, channel_json

_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "channel_archive": "channels:read",
    "channel_unarchive": "channels:read",
    "channel_created": "channels:read",
    "channel_rename": "channels:read",
    "file_shared": "files:read",
    "user_change": "users:read",
    "team_join": "users:read",
}
_MESSAGE_EVENTS = {
    ChannelKind.PUBLIC: "message.channels",
    ChannelKind.PRIVATE: "message.groups",
    ChannelKind.DIRECT: "message.im",
}
_CHANNEL_TYPES = {
    ChannelKind.PUBLIC: "channel",
    ChannelKind.PRIVATE: "group",
    ChannelKind.DIRECT: "im",
}


class Events:
    """Announces what happened to all apps that may know."""

    def __init__(self, book: Book, wire: Wire, delivery: Delivery) -> None:
        self._book = book
        self._wire = wire
        self._delivery = delivery

    def posted(self, message: Message) -> None:
        """A new message: `message.*`, and `app_mention` for a bot that it names."""
        channel = self._book.channels[message.channel]
        body = self._wire.message(message)
        self._message_event(channel, body, message.ts)
        for app in self._book.apps.values():
            named = f"<@{app.bot_user}" in message.text and message.user != app.bot_user
            if named and channel.kind is not ChannelKind.DIRECT and app.bot_user in channel.members:
                mention: JsonObject = {**body, "type": "app_mention", "channel": channel.id}
                self._tell(app, "app_mention", {**mention, "event_ts": message.ts})

    def edited(self, message: Message, before: Message, at: str) -> None:
        """A changed message: `message_changed`."""
        body: JsonObject = {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "message": self._wire.message(message),
            "previous_message": self._wire.message(before),
            "ts": at,
        }
        self._message_event(self._book.channels[message.channel], body, at)

    def deleted(self, message: Message, at: str) -> None:
        """A deleted message: `message_deleted`."""
        body: JsonObject = {
            "type": "message",
            "subtype": "message_deleted",
            "hidden": True,
            "deleted_ts": message.ts,
            "previous_message": self._wire.message(message),
            "ts": at,
        }
        self._message_event(self._book.channels[message.channel], body, at)

    def _message_event(self, channel: Channel, body: JsonObject, at: str) -> None:
        event: JsonObject = {
            **body,
            "channel": channel.id,
            "channel_type": _CHANNEL_TYPES[channel.kind],
            "event_ts": at,
        }
        for app in self._book.apps.values():
            if app.bot_user in channel.members:
                self._tell(app, _MESSAGE_EVENTS[channel.kind], event)

    def reacted(self, message: Message, user_id: str, name: str, at: str, *, added: bool) -> None:
        """`reaction_added` or `reaction_removed`."""
        kind = "reaction_added" if added else "reaction_removed"
        event: JsonObject = {
            "type": kind,
            "user": user_id,
            "reaction": name,
            "item": {"type": "message", "channel": message.channel, "ts": message.ts},
            "item_user": message.user,
            "event_ts": at,
        }
        members = self._book.channels[message.channel].members
        for app in self._book.apps.values():
            if app.bot_user in members:
                self._tell(app, kind, event)

    def channel(self, kind: str, channel: Channel, user_id: str, at: str) -> None:
        """Something about a channel: `member_joined_channel`, `channel_archive`, …"""
        event: JsonObject = {"type": kind, "user": user_id, "event_ts": at, "channel": channel.id}
        if kind.startswith("member_"):
            event |= {"channel_type": _CHANNEL_TYPES[channel.kind][:1].upper(), "team": self._book.team.id}
        if kind in ("channel_created", "channel_rename"):
            event["channel"] = channel_json(channel, user_id)
        for app in self._book.apps.values():
            if channel.kind is ChannelKind.PUBLIC or app.bot_user in channel.members:
                self._tell(app, kind, event)

    def file_shared(self, file_id: str, channel_id: str, user_id: str, at: str) -> None:
        """`file_shared`."""
        event: JsonObject = {
            "type": "file_shared",
            "file_id": file_id,
            "file": {"id": file_id},
            "user_id": user_id,
            "channel_id": channel_id,
            "event_ts": at,
        }
        for app in self._book.apps.values():
            if app.bot_user in self._book.channels[channel_id].members:
                self._tell(app, "file_shared", event)

    def home_opened(self, app: App, user_id: str, tab: str, view: View | None, at: str) -> None:
        """`app_home_opened`."""
        direct = self._book.direct(user_id, app.bot_user)
        event: JsonObject = {
            "type": "app_home_opened",
            "user": user_id,
            "channel": direct.id,
            "tab": tab,
            "event_ts": at,
        }
        if view is not None:
            event["view"] = self._wire.view(view)
        self._tell(app, "app_home_opened", event)

    def tokens_revoked(self, app: App) -> None:
        """`tokens_revoked`."""
        self._tell(app, "tokens_revoked", {"type": "tokens_revoked", "tokens": {"bot": [app.bot_user]}})

    def _tell(self, app: App, name: str, event: JsonObject) -> None:
        scope = _SCOPES.get(name)
        if name in app.events and (scope is None or scope in app.scopes):
            self._delivery.tell(app, event_payload(app, event, self._book.team.id, now()))


def without_user(reactions: tuple[Reaction, ...], name: str, user_id: str) -> tuple[Reaction, ...]:
    """The reactions after a user took one back; an emoji without users is gone."""
    kept = [
        Reaction(r.name, tuple(u for u in r.users if u != user_id)) if r.name == name else r
        for r in reactions
    ]
    return tuple(reaction for reaction in kept if reaction.users)


def with_user(reactions: tuple[Reaction, ...], name: str, user_id: str) -> tuple[Reaction, ...]:
    """The reactions after a user gave one."""
    if any(reaction.name == name for reaction in reactions):
        return tuple(Reaction(r.name, (*r.users, user_id)) if r.name == name else r for r in reactions)
    return (*reactions, Reaction(name, (user_id,)))
