"""Mentions: from what a person types to Slack's markup, and whom a message pages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import JsonValue

from bot.workspace.book import Book
from bot.workspace.model import Channel, Message

_BROADCASTS = ("here", "channel", "everyone")
_NO_WORD = r"(?![A-Za-z0-9_\-])"
"""what may follow a name: anything but more of a Latin name, so that a Korean particle or title may"""
_MARKED = re.compile(r"<(?:@(U[A-Z0-9]+)|!subteam\^(S[A-Z0-9]+)|!(here|channel|everyone))(?:\|[^>]*)?>")


def escape(text: str) -> str:
    """`&`, `<` and `>` as Slack sends them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def from_typed(text: str, book: Book) -> str:
    """What a person typed, as Slack stores it: escaped, with mentions and links marked."""
    marks: dict[str, str] = {f"@{word}": f"<!{word}>" for word in _BROADCASTS}
    for user in book.users.values():
        for name in (user.name, user.display_name, user.real_name):
            if name:
                marks.setdefault(f"@{escape(name)}".casefold(), f"<@{user.id}>")
    for group in book.groups.values():
        marks.setdefault(f"@{group.handle}".casefold(), f"<!subteam^{group.id}>")
    for channel in book.channels.values():
        if channel.name:
            marks.setdefault(f"#{channel.name}".casefold(), f"<#{channel.id}|{channel.name}>")
    names = "|".join(re.escape(name) for name in sorted(marks, key=len, reverse=True))
    pattern = re.compile(
        rf"(?P<url>https?://[^\s<>|]+)|(?<![\w@#])(?P<mark>{names}){_NO_WORD}", re.IGNORECASE
    )

    def mark(match: re.Match[str]) -> str:
        if match["url"]:
            return f"<{match['url']}>"
        return marks[match["mark"].casefold()]

    return pattern.sub(mark, escape(text))


def _texts(value: JsonValue) -> Iterable[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        kind, text = value.get("type"), value.get("text")
        if kind == "user":
            yield f"<@{value.get('user_id')}>"
        elif kind == "usergroup":
            yield f"<!subteam^{value.get('usergroup_id')}>"
        elif kind == "broadcast":
            yield f"<!{value.get('range')}>"
        elif kind in ("mrkdwn", "markdown") and isinstance(text, str):
            yield text
        for name in ("text", "fields", "elements", "accessory", "rows", "blocks"):
            inner = value.get(name)
            if isinstance(inner, (list, dict)):
                yield from _texts(inner)


def paged_by(message: Message, channel: Channel, book: Book) -> frozenset[str]:
    """Ids of the users whom the message notifies by a mention, without its sender."""
    paged: set[str] = set()
    sources = [message.text, *_texts(list(message.blocks)), *_texts(list(message.attachments))]
    for attachment in message.attachments:
        text = attachment.get("text")
        if isinstance(text, str):
            sources.append(text)
    for source in sources:
        for user_id, group_id, _ in _MARKED.findall(source):
            if user_id:
                paged.add(user_id)
            elif group_id:
                group = book.groups.get(group_id)
                paged.update(() if group is None else group.users)
            else:
                paged.update(channel.members)
    people = {user_id for user_id in paged if user_id in book.users}
    return frozenset(people - {message.user})
