"""People, rooms and messages as templates show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.workspace.core import Workspace
from bot.workspace.model import Channel, ChannelKind, File, JsonObject, Message, Shortcut, User
from bot.workspace.page import emoji, mrkdwn

COMPACT_WITHIN = 300.0
"""seconds in which a second message of the same author is drawn without his name"""

INLINE_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types a browser can show without running anything; SVG is not one of them."""

_TINTS = 8


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of the workspace in a menu or beside a message."""

    id: str
    handle: str
    shown: str
    title: str
    initial: str
    tint: int
    find: str
    """what completion compares with: handle and names, each behind `@`"""


@dataclass(frozen=True, slots=True)
class Room:
    """A channel or direct conversation in the side bar."""

    id: str
    name: str
    path: str
    direct: bool
    private: bool
    archived: bool
    joined: bool
    current: bool
    online: bool
    app_id: str | None
    latest: str
    """`ts` of the latest message; `0` when there is none"""
    topic: str
    members: int


@dataclass(frozen=True, slots=True)
class ShownReaction:
    """An emoji below a message."""

    name: str
    count: int
    mine: bool
    people: str


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file below a message."""

    id: str
    name: str
    title: str
    alt_text: str
    filetype: str
    size: int
    inline: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One message with everything beside its text."""

    ts: str
    channel: str
    user: str
    root: str
    root_text: str
    author: str
    title: str
    initial: str
    tint: int
    icon_url: str | None
    is_bot: bool
    own: bool
    compact: bool
    ephemeral: bool
    broadcast: bool
    edited: bool
    text: str
    blocks: Sequence[JsonObject]
    attachments: Sequence[JsonObject]
    files: Sequence[ShownFile]
    reactions: Sequence[ShownReaction]
    reply_count: int
    latest_reply: str | None
    shortcuts: Sequence[Shortcut]


def display_name(user: User, language: str) -> str:
    """What readers of that language call him: English ones by the part of his full name that is in Latin
    letters, where he has one behind his own spelling (`한지우 Jiwoo Han`)."""
    name = user.display_name or user.real_name or user.name
    if language == "en" and not name.isascii():
        spelled = user.real_name.removeprefix(name).strip()
        if spelled and spelled.isascii():
            return spelled
    return name


def tint(workspace: Workspace, user_id: str) -> int:
    """A colour class; the first eight users differ."""
    return next((n for n, user in enumerate(workspace.users()) if user.id == user_id), 0) % _TINTS


def person(workspace: Workspace, user: User, language: str) -> Person:
    """The user for menus."""
    name = display_name(user, language)
    known_as = (user.name, name, user.display_name, user.real_name)
    found_by = dict.fromkeys(f"@{part}" for part in known_as if part)
    return Person(
        id=user.id,
        handle=user.name,
        shown=name,
        title=user.title,
        initial=name[:1].upper(),
        tint=tint(workspace, user.id),
        find=" ".join(found_by).lower(),
    )


def room(workspace: Workspace, channel: Channel, viewer: str, current: bool, language: str) -> Room:
    """The channel for the side bar, a direct conversation under the other one's name."""
    direct = channel.kind is ChannelKind.DIRECT
    other = next((member for member in channel.members if member != viewer), viewer)
    partner = workspace.user(other) if direct else None
    latest = workspace.messages(channel.id, viewer, limit=1)
    app_id = partner.app_id if partner and partner.is_bot else None
    app = workspace.app(app_id) if app_id else None
    return Room(
        id=channel.id,
        name=(display_name(partner, language) if partner else other) if direct else channel.name,
        path=f"app/{app.id}" if app and app.home_tab and not app.messages_tab else channel.id,
        direct=direct,
        private=channel.kind is ChannelKind.PRIVATE,
        archived=channel.is_archived,
        joined=direct or viewer in channel.members,
        current=current,
        online=workspace.app_online(app.id) if app else True,
        app_id=app.id if app else None,
        latest=latest[-1].ts if latest else "0",
        topic=channel.topic,
        members=len(channel.members),
    )


def message(
    workspace: Workspace, item: Message, viewer: str, previous: Message | None, language: str
) -> Shown:
    """The message for its template; `previous` is the one above it in the same list."""
    author = workspace.user(item.user)
    name = item.username or (display_name(author, language) if author else item.user)
    is_bot = bool(item.bot_id) or bool(author and author.is_bot)
    root = item.thread_ts or item.ts
    parent = workspace.message(item.channel, root, viewer) if item.broadcast and item.is_reply else None
    return Shown(
        ts=item.ts,
        channel=item.channel,
        user=item.user,
        root=root,
        root_text=" ".join(mrkdwn.decode(parent.text).split())[:80] if parent else "",
        author=name,
        title="" if is_bot or author is None else author.title,
        initial=_icon_character(item.icon) or name[:1].upper(),
        tint=tint(workspace, item.user),
        icon_url=item.icon if item.icon and item.icon.startswith(("http://", "https://")) else None,
        is_bot=is_bot,
        own=item.user == viewer and not item.ephemeral_for,
        compact=_continues(previous, item),
        ephemeral=item.ephemeral_for is not None,
        broadcast=item.broadcast,
        edited=item.edited is not None,
        text=item.text,
        blocks=item.blocks,
        attachments=item.attachments,
        files=[_file(file) for key in item.files if (file := workspace.file(key)) is not None],
        reactions=[
            ShownReaction(
                reaction.name,
                len(reaction.users),
                viewer in reaction.users,
                ", ".join(
                    display_name(user, language) if (user := workspace.user(key)) else key
                    for key in reaction.users
                ),
            )
            for reaction in item.reactions
        ],
        reply_count=item.reply_count,
        latest_reply=item.latest_reply,
        shortcuts=workspace.shortcuts("message"),
    )


def _icon_character(icon: str | None) -> str | None:
    return emoji.character(icon.strip(":")) if icon and icon.startswith(":") else None


def _continues(previous: Message | None, item: Message) -> bool:
    if previous is None or previous.ephemeral_for or item.ephemeral_for or item.broadcast:
        return False
    same = (previous.user, previous.username) == (item.user, item.username)
    # Cards stand alone: running them together would hide who sent which.
    framed = bool(previous.attachments or item.attachments or previous.reply_count)
    return same and not framed and float(item.ts) - float(previous.ts) < COMPACT_WITHIN


def _file(file: File) -> ShownFile:
    return ShownFile(
        file.id,
        file.name,
        file.title,
        file.alt_text,
        file.filetype,
        file.size,
        file.mimetype in INLINE_PICTURES,
    )
