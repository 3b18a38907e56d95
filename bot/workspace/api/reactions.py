"""`reactions.*`."""

from __future__ import annotations

import re

from bot.workspace.access import find_channel
from bot.workspace.api.call import Call, method
from bot.workspace.errors import SlackError
from bot.workspace.model import JsonObject, Message

_NAME = re.compile(r"[\w+\-']{1,100}(?:::skin-tone-[2-6])?")


def _message(call: Call) -> Message:
    channel = find_channel(call.workspace.book, call.app, call.needed("channel"))
    message = call.workspace.book.message(channel.id, call.needed("timestamp"))
    if message is None:
        raise SlackError("message_not_found")
    if call.app.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    return message


def _name(call: Call) -> str:
    name = call.needed("name").strip(":")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name")
    return name


@method("reactions.add", "reactions:write", tier=3)
async def add(call: Call) -> JsonObject:
    """Add the bot's reaction."""
    call.workspace.posts.react(_message(call), call.app.bot_user, _name(call))
    return {}


@method("reactions.remove", "reactions:write", tier=2)
async def remove(call: Call) -> JsonObject:
    """Take the bot's reaction back."""
    call.workspace.posts.unreact(_message(call), call.app.bot_user, _name(call))
    return {}


@method("reactions.get", "reactions:read", tier=3)
async def get(call: Call) -> JsonObject:
    """A message with its reactions."""
    message = _message(call)
    return {
        "type": "message",
        "channel": message.channel,
        "message": call.workspace.wire.message(message),
    }
