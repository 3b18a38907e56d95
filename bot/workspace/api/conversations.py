"""`conversations.*`: channels, their messages and members."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.workspace.access import find_channel, need_scope, readable_channel, scope_for
from bot.workspace.api.call import (
    Call,
    cursor,
    invalid_arguments,
    method,
    page_of,
    read_cursor,
    with_cursor,
)
from bot.workspace.errors import SlackError
from bot.workspace.ids import new_id, now, stamp_to_micros
from bot.workspace.model import Channel, ChannelKind, JsonObject, Message
from bot.workspace.wire import channel_json

_TYPES = {
    "public_channel": ChannelKind.PUBLIC,
    "private_channel": ChannelKind.PRIVATE,
    "im": ChannelKind.DIRECT,
    "mpim": None,
}
_NAME = re.compile(r"[\w\-]{1,80}")


def _json(call: Call, channel: Channel) -> JsonObject:
    return channel_json(channel, call.app.bot_user)


@method("conversations.list", tier=2)
async def list_all(call: Call) -> JsonObject:
    """All conversations of the types that are asked for."""
    kinds = set()
    for name in call.text("types", "public_channel").split(","):
        if name.strip() not in _TYPES:
            raise SlackError("invalid_types")
        kind = _TYPES[name.strip()]
        if kind is not None:
            need_scope(call.app, scope_for(kind, "read"))
            kinds.add(kind)
    found = [
        channel
        for channel in call.workspace.book.channels.values()
        if channel.kind in kinds
        and (channel.kind is ChannelKind.PUBLIC or call.app.bot_user in channel.members)
        and not (channel.is_archived and call.flag("exclude_archived"))
    ]
    part, following = page_of(call, found)
    return with_cursor({"channels": [_json(call, channel) for channel in part]}, following)


def _channel(call: Call, verb: str) -> Channel:
    channel = find_channel(call.workspace.book, call.app, call.needed("channel"))
    need_scope(call.app, scope_for(channel.kind, verb))
    return channel


@method("conversations.info", tier=3)
async def info(call: Call) -> JsonObject:
    """One conversation."""
    return {"channel": _json(call, _channel(call, "read"))}


@method("conversations.members", tier=4)
async def members(call: Call) -> JsonObject:
    """The members of a conversation."""
    part, following = page_of(call, _channel(call, "read").members)
    return with_cursor({"members": [*part]}, following)


def _window(call: Call) -> tuple[int, int]:
    """`oldest` and `latest` as inclusive bounds in microseconds."""
    try:
        oldest = stamp_to_micros(call.text("oldest", "0"))
        latest = stamp_to_micros(call.text("latest", str(int(now()) + 86400)))
    except ValueError as error:
        raise SlackError("invalid_ts_oldest") from error
    if not call.flag("inclusive"):
        oldest, latest = oldest + 1 if oldest else 0, latest - 1
    return oldest, latest


def _messages(call: Call, part: list[Message]) -> list[JsonObject]:
    with_metadata = call.flag("include_all_metadata")
    return [call.workspace.wire.message(message, with_metadata=with_metadata) for message in part]


@method("conversations.history", tier=3)
async def history(call: Call) -> JsonObject:
    """A channel's messages, newest first."""
    channel = readable_channel(call.workspace.book, call.app, call.needed("channel"))
    limit = call.limit(100, 999)
    oldest, latest = _window(call)
    following = read_cursor(call.text("cursor"), "next_ts")
    if following:
        latest = min(latest, int(following))
    found: list[Message] = []
    more = ""
    for message in call.workspace.book.newest_first(channel.id):
        at = stamp_to_micros(message.ts)
        if at < oldest:
            break
        if at <= latest:
            if len(found) == limit:
                more = cursor("next_ts", str(at))
                break
            found.append(message)
    body: JsonObject = {
        "messages": [*_messages(call, found)],
        "has_more": bool(more),
        "pin_count": 0,
    }
    return with_cursor(body, more) if more else body


@method("conversations.replies", tier=3)
async def replies(call: Call) -> JsonObject:
    """A thread, its parent first."""
    book = call.workspace.book
    channel = readable_channel(book, call.app, call.needed("channel"))
    message = book.message(channel.id, call.needed("ts"))
    parent_ts = call.needed("ts") if message is None else message.thread_ts or message.ts
    thread = book.thread(channel.id, parent_ts)
    if not thread:
        raise SlackError("thread_not_found")
    oldest, latest = _window(call)
    thread = [m for m in thread if m.ts == parent_ts or oldest <= stamp_to_micros(m.ts) <= latest]
    part, following = page_of(call, thread, default=1000)
    body: JsonObject = {"messages": [*_messages(call, part)], "has_more": bool(following)}
    return with_cursor(body, following) if following else body


@method("conversations.open", "im:write", tier=3)
async def open_direct(call: Call) -> JsonObject:
    """The direct conversation with a user."""
    given = call.text("channel")
    if given:
        channel = find_channel(call.workspace.book, call.app, given)
    else:
        value = call.arguments.get("users")
        users = [str(v) for v in value] if isinstance(value, list) else call.needed("users").split(",")
        user = call.workspace.user(users[0].strip())
        if user is None:
            raise SlackError("user_not_found")
        if len(users) > 1 or user.is_bot:
            raise SlackError("method_not_supported_for_channel_type")
        channel = call.workspace.book.direct(user.id, call.app.bot_user)
    body: JsonObject = _json(call, channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": body, "no_op": True, "already_open": True}


@method("conversations.join", "channels:join", tier=3)
async def join(call: Call) -> JsonObject:
    """Become a member of a public channel."""
    channel = find_channel(call.workspace.book, call.app, call.needed("channel"))
    if channel.kind is not ChannelKind.PUBLIC:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    if call.app.bot_user in channel.members:
        return {"channel": _json(call, channel), "warning": "already_in_channel"}
    joined = replace(channel, members=(*channel.members, call.app.bot_user))
    call.workspace.posts.change_channel(joined, "member_joined_channel", call.app.bot_user)
    return {"channel": _json(call, joined)}


@method("conversations.leave", "channels:manage", "channels:write", tier=3)
async def leave(call: Call) -> JsonObject:
    """Leave a channel."""
    channel = find_channel(call.workspace.book, call.app, call.needed("channel"))
    if call.app.bot_user not in channel.members:
        return {"not_in_channel": True}
    left = replace(channel, members=tuple(m for m in channel.members if m != call.app.bot_user))
    call.workspace.posts.change_channel(left, "member_left_channel", call.app.bot_user)
    return {}


@method("conversations.create", "channels:manage", "channels:write", tier=2)
async def create(call: Call) -> JsonObject:
    """Make a public or private channel; the bot is its first member."""
    name = call.needed("name")
    if name != name.lower() or not _NAME.fullmatch(name):
        raise SlackError("invalid_name_specials")
    if any(channel.name == name for channel in call.workspace.book.channels.values()):
        raise SlackError("name_taken")
    kind = ChannelKind.PRIVATE if call.flag("is_private") else ChannelKind.PUBLIC
    bot = call.app.bot_user
    channel = Channel(new_id("C"), name, kind, (bot,), int(now()), bot)
    call.workspace.posts.change_channel(channel, "channel_created", bot)
    return {"channel": _json(call, channel)}


@method("conversations.invite", "channels:manage", "channels:write.invites", "channels:write", tier=3)
async def invite(call: Call) -> JsonObject:
    """Put users into a channel."""
    channel = find_channel(call.workspace.book, call.app, call.needed("channel"))
    if call.app.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    if channel.is_archived:
        raise SlackError("is_archived")
    for user_id in call.needed("users").split(","):
        if call.workspace.user(user_id) is None:
            raise SlackError("user_not_found")
        if user_id not in channel.members:
            channel = replace(channel, members=(*channel.members, user_id))
            call.workspace.posts.change_channel(channel, "member_joined_channel", user_id)
    return {"channel": _json(call, channel)}


async def _set_archived(call: Call, archived: bool) -> JsonObject:
    channel = find_channel(call.workspace.book, call.app, call.needed("channel"))
    if channel.is_general:
        raise SlackError("cant_archive_general")
    if channel.kind is ChannelKind.DIRECT:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived is archived:
        raise SlackError("already_archived" if archived else "not_archived")
    event = "channel_archive" if archived else "channel_unarchive"
    changed = replace(channel, is_archived=archived)
    call.workspace.posts.change_channel(changed, event, call.app.bot_user)
    return {}


@method("conversations.archive", "channels:manage", "channels:write", tier=2)
async def archive(call: Call) -> JsonObject:
    """Archive a channel."""
    return await _set_archived(call, True)


@method("conversations.unarchive", "channels:manage", "channels:write", tier=2)
async def unarchive(call: Call) -> JsonObject:
    """Bring an archived channel back."""
    return await _set_archived(call, False)


async def _set_words(call: Call, field: str) -> JsonObject:
    channel = find_channel(call.workspace.book, call.app, call.needed("channel"))
    words = call.text(field)
    if len(words) > 250:
        raise SlackError("too_long")
    if field == "topic":
        changed = replace(channel, topic=words)
    elif field == "purpose":
        changed = replace(channel, purpose=words)
    else:
        raise invalid_arguments(field)
    call.workspace.posts.change_channel(changed, f"channel_{field}", call.app.bot_user)
    return {"channel": _json(call, changed)}


@method("conversations.setTopic", "channels:manage", "channels:write.topic", "channels:write", tier=2)
async def set_topic(call: Call) -> JsonObject:
    """Change a channel's topic."""
    return await _set_words(call, "topic")


@method("conversations.setPurpose", "channels:manage", "channels:write.topic", "channels:write", tier=2)
async def set_purpose(call: Call) -> JsonObject:
    """Change a channel's purpose."""
    return await _set_words(call, "purpose")
