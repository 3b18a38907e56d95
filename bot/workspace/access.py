"""Which conversation an app means and whether it may speak or read there."""

from __future__ import annotations

from bot.workspace.book import Book
from bot.workspace.errors import SlackError
from bot.workspace.model import App, Channel, ChannelKind


def missing_scope(app: App, needed: str) -> SlackError:
    """The refusal of a call that lacks a scope."""
    return SlackError("missing_scope", needed=needed, provided=",".join(app.scopes))


def need_scope(app: App, *any_of: str) -> None:
    """Raise SlackError `missing_scope` unless the app has one of the scopes."""
    if any_of and not any(scope in app.scopes for scope in any_of):
        raise missing_scope(app, ",".join(any_of))


_PREFIX = {ChannelKind.PUBLIC: "channels", ChannelKind.PRIVATE: "groups", ChannelKind.DIRECT: "im"}


def scope_for(kind: ChannelKind, verb: str) -> str:
    """`channels:read`, `groups:history`, …"""
    return f"{_PREFIX[kind]}:{verb}"


def find_channel(book: Book, app: App, given: str, *, by_name: bool = False) -> Channel:
    """The channel of an id that the app may know of. Raises SlackError `channel_not_found`.

    With `by_name` also `#name` and a user's id, which means the direct conversation with him.
    """
    channel = book.channels.get(given)
    if channel is None and by_name:
        user = book.users.get(given)
        if user is not None and not user.is_bot:
            return book.direct(user.id, app.bot_user)
        name = given.removeprefix("#")
        channel = next((c for c in book.channels.values() if name and c.name == name), None)
    if channel is None:
        raise SlackError("channel_not_found")
    if channel.kind is not ChannelKind.PUBLIC and app.bot_user not in channel.members:
        raise SlackError("channel_not_found")
    return channel


def writable_channel(book: Book, app: App, given: str) -> Channel:
    """The channel an app posts to. Raises SlackError: not found, archived, or not a member."""
    channel = find_channel(book, app, given, by_name=True)
    if channel.is_archived:
        raise SlackError("is_archived")
    if app.bot_user not in channel.members and "chat:write.public" not in app.scopes:
        raise SlackError("not_in_channel")
    return channel


def readable_channel(book: Book, app: App, given: str) -> Channel:
    """The channel an app reads the messages of. Raises SlackError: not found, no scope, not a member."""
    channel = find_channel(book, app, given)
    need_scope(app, scope_for(channel.kind, "history"))
    if app.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    return channel
