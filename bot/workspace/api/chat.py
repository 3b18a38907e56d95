"""`chat.*`: posting, changing, deleting, whispering, planning."""

from __future__ import annotations

from dataclasses import replace

from bot.workspace.access import find_channel, need_scope, writable_channel
from bot.workspace.api.call import Call, method
from bot.workspace.book import Scheduled
from bot.workspace.content import EDIT_MOST, Content, read_content
from bot.workspace.errors import SlackError
from bot.workspace.ids import new_id, now
from bot.workspace.model import Channel, JsonObject, Message
from bot.workspace.pictures import need_pictures

FARTHEST_DAYS = 120
_DAY = 86400


def _content(call: Call) -> Content:
    content = read_content(call.arguments)
    if content.is_empty:
        raise SlackError("no_text")
    need_pictures(call.workspace.book, call.app, content)
    return content


def _message(call: Call, channel: Channel, content: Content) -> Message:
    username = call.text("username") or None
    icon = call.text("icon_emoji") or call.text("icon_url") or None
    if username is not None or icon is not None:
        need_scope(call.app, "chat:write.customize")
    thread_ts = call.text("thread_ts") or None
    return Message(
        channel=channel.id,
        ts="",
        user=call.app.bot_user,
        text=content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        metadata=content.metadata,
        thread_ts=thread_ts,
        broadcast=thread_ts is not None and call.flag("reply_broadcast"),
        bot_id=call.app.bot_id,
        app_id=call.app.id,
        username=username,
        icon=icon,
    )


def _with_warnings(body: JsonObject, content: Content) -> JsonObject:
    if content.warnings:
        note = (
            "Your message was truncated but still posted. The `text` field accepts up to 40,000 characters."
        )
        body["warning"] = ",".join(content.warnings)
        body["response_metadata"] = {"warnings": list(content.warnings), "messages": [f"[WARN] {note}"]}
    return body


@method("chat.postMessage", "chat:write", tier=0)
async def post_message(call: Call) -> JsonObject:
    """Post a message."""
    channel = writable_channel(call.workspace.book, call.app, call.needed("channel"))
    content = _content(call)
    call.workspace.limiter.post(call.app.id, channel.id)
    message = call.workspace.posts.post(_message(call, channel, content))
    shown = call.workspace.wire.message(message, with_metadata=True)
    return _with_warnings({"channel": channel.id, "ts": message.ts, "message": shown}, content)


@method("chat.update", "chat:write", tier=3)
async def update(call: Call) -> JsonObject:
    """Change one of the app's own messages; blocks and attachments that aren't named are kept."""
    channel = find_channel(call.workspace.book, call.app, call.needed("channel"))
    before = call.workspace.book.message(channel.id, call.needed("ts"))
    if channel.is_archived:
        raise SlackError("is_inactive")
    if call.app.bot_user not in channel.members and "chat:write.public" not in call.app.scopes:
        raise SlackError("not_in_channel")
    if before is None:
        raise SlackError("message_not_found")
    if before.app_id != call.app.id:
        raise SlackError("cant_update_message")
    if not call.workspace.posts.may_still_edit(before):
        raise SlackError("edit_window_closed")
    if len(call.text("text")) > EDIT_MOST:
        raise SlackError("msg_too_long")
    content = read_content(call.arguments)
    if content.is_empty and not (content.has_blocks or content.has_attachments):
        raise SlackError("no_text")
    need_pictures(call.workspace.book, call.app, content)
    after = replace(
        before,
        text=content.text if call.arguments.get("text") is not None else before.text,
        blocks=content.blocks if content.has_blocks else before.blocks,
        attachments=content.attachments if content.has_attachments else before.attachments,
        metadata=content.metadata or before.metadata,
    )
    if not (after.text.strip() or after.blocks or after.attachments):
        raise SlackError("no_text")
    after = call.workspace.posts.edit(before, after, call.app.bot_user)
    shown = call.workspace.wire.message(after, with_metadata=True)
    return {"channel": channel.id, "ts": after.ts, "text": after.text, "message": shown}


@method("chat.delete", "chat:write", tier=3)
async def delete(call: Call) -> JsonObject:
    """Delete one of the app's own messages."""
    channel = find_channel(call.workspace.book, call.app, call.needed("channel"))
    message = call.workspace.book.message(channel.id, call.needed("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.app_id != call.app.id:
        raise SlackError("cant_delete_message")
    call.workspace.posts.delete(message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.postEphemeral", "chat:write", tier=4)
async def post_ephemeral(call: Call) -> JsonObject:
    """Show a message to one user of a channel; nobody can tell whether he saw it."""
    channel = writable_channel(call.workspace.book, call.app, call.needed("channel"))
    user_id = call.needed("user")
    if user_id not in channel.members:
        raise SlackError("user_not_in_channel")
    content = _content(call)
    message = replace(_message(call, channel, content), ephemeral_for=user_id)
    message = call.workspace.posts.post_ephemeral(message)
    return _with_warnings({"message_ts": message.ts}, content)


@method("chat.scheduleMessage", "chat:write", tier=3)
async def schedule(call: Call) -> JsonObject:
    """Post a message later, at most 120 days ahead."""
    channel = writable_channel(call.workspace.book, call.app, call.needed("channel"))
    call.needed("post_at")
    post_at = call.number("post_at", 0)
    if post_at <= now():
        raise SlackError("time_in_past")
    if post_at > now() + FARTHEST_DAYS * _DAY:
        raise SlackError("time_too_far")
    content = _content(call)
    call.workspace.limiter.schedule(call.app.id, channel.id)
    message = _message(call, channel, content)
    scheduled = Scheduled(new_id("Q"), channel.id, post_at, now(), message, call.app.id)
    call.workspace.plan.add(scheduled)
    return {
        "channel": channel.id,
        "scheduled_message_id": scheduled.id,
        "post_at": str(post_at),
        "message": {"type": "delayed_message", "text": message.text, "bot_id": call.app.bot_id},
    }


@method("chat.deleteScheduledMessage", "chat:write", tier=3)
async def delete_scheduled(call: Call) -> JsonObject:
    """Take a scheduled message back."""
    book = call.workspace.book
    channel = find_channel(book, call.app, call.needed("channel"))
    scheduled = book.scheduled.get(call.needed("scheduled_message_id"))
    if scheduled is None or scheduled.channel != channel.id or scheduled.app_id != call.app.id:
        raise SlackError("invalid_scheduled_message_id")
    call.workspace.plan.remove(scheduled.id)
    return {}


@method("chat.scheduledMessages.list", tier=3)
async def list_scheduled(call: Call) -> JsonObject:
    """The app's scheduled messages."""
    channel = call.text("channel")
    return {
        "scheduled_messages": [
            {
                "id": scheduled.id,
                "channel_id": scheduled.channel,
                "post_at": scheduled.post_at,
                "date_created": int(scheduled.created),
                "text": scheduled.message.text,
            }
            for scheduled in call.workspace.book.scheduled.values()
            if scheduled.app_id == call.app.id and channel in ("", scheduled.channel)
        ],
        "response_metadata": {"next_cursor": ""},
    }


@method("chat.getPermalink", tier=0)
async def permalink(call: Call) -> JsonObject:
    """A message's address."""
    channel = find_channel(call.workspace.book, call.app, call.needed("channel"))
    message = call.workspace.book.message(channel.id, call.needed("message_ts"))
    if message is None:
        raise SlackError("message_not_found")
    link = f"{call.workspace.wire.origin}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}
