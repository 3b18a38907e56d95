"""Which fragments of a page a change of the workspace replaces."""

from __future__ import annotations

import time

from markupsafe import Markup

from bot.workspace.model import Change, ChangeKind, Message, Notice
from bot.workspace.page import shown
from bot.workspace.page.painter import Looking, Painter
from bot.workspace.page.render import call

_DRAWN_ANEW = frozenset({ChangeKind.CHANNEL_CHANGED, ChangeKind.APP_CHANGED})
_MODALS = frozenset({ChangeKind.VIEW_OPENED, ChangeKind.VIEW_UPDATED, ChangeKind.VIEW_CLOSED})
_DELETIONS = frozenset({ChangeKind.MESSAGE_DELETED, ChangeKind.EPHEMERAL_DELETED})
_ADDITIONS = frozenset({ChangeKind.MESSAGE_ADDED, ChangeKind.EPHEMERAL_ADDED})


def fragments(painter: Painter, change: Change, looking: Looking) -> Markup | None:
    """HTML whose top elements replace those of the same id; None when the page must be fetched anew."""
    if change.kind in _DRAWN_ANEW:
        return None
    if change.kind in _MODALS:
        return painter.modal()
    if change.kind is ChangeKind.HOME_CHANGED:
        mine = looking.app_id is not None and change.app_id in (None, looking.app_id)
        return painter.home(looking.app_id) if mine and looking.app_id else Markup("")
    if change.kind is ChangeKind.NOTICE:
        return notice(painter, change, looking) if change.notice else Markup("")
    return _message(painter, change, looking)


def _message(painter: Painter, change: Change, looking: Looking) -> Markup:
    message = change.message
    if message is None:
        return Markup("")
    parts: list[Markup] = []
    here = message.channel == looking.channel and looking.app_id is None
    in_channel = here and (not message.is_reply or message.broadcast)
    in_thread = (
        here and looking.thread_ts is not None and (message.thread_ts or message.ts) == looking.thread_ts
    )
    if change.kind in _DELETIONS:
        parts += [_gone(f"{letter}-{message.ts}") for letter in "mt"]
        if in_channel and (below := _below(painter, message)):
            parts.append(_replacing(painter.message(below, in_thread=False)))
    else:
        current = painter.workspace.message(message.channel, message.ts, painter.user_id) or message
        added = change.kind in _ADDITIONS
        for wanted, place in ((in_channel, False), (in_thread, True)):
            if wanted:
                drawn = painter.message(current, in_thread=place)
                parts.append(drawn if added else _replacing(drawn))
    if here and message.is_reply and message.thread_ts:
        parent = painter.workspace.message(message.channel, message.thread_ts, painter.user_id)
        if parent is not None:
            parts.append(_replacing(painter.message(parent, in_thread=False)))
    if change.kind in _ADDITIONS | _DELETIONS:
        parts.append(_room(painter, message.channel, looking))
    return Markup("\n").join(parts)


def _gone(key: str) -> Markup:
    return Markup('<div id="{}" data-gone></div>').format(key)


def _replacing(drawn: Markup) -> Markup:
    """The fragment for an element that is there already; the page adds nothing when it isn't."""
    return Markup("<div data-only>{}</div>").format(drawn)


def _below(painter: Painter, message: Message) -> Message | None:
    """The message that now follows the gap; it may have to show its author again."""
    items = painter.workspace.messages(message.channel, painter.user_id)
    return next((item for item in items if item.ts > message.ts), None)


def _room(painter: Painter, channel_id: str, looking: Looking) -> Markup:
    channel = painter.workspace.channel(channel_id)
    if channel is None:
        return Markup("")
    current = channel_id == looking.channel
    room = shown.room(painter.workspace, channel, painter.user_id, current, painter.words.code)
    return call("sidebar.html", "link", room, {"me": {"id": painter.user_id}, "words": painter.words})


def notice(painter: Painter, change: Change, looking: Looking) -> Markup:
    """Slack's word to the reader: beside the talk when it is about a command, else a passing note."""
    told = change.notice
    if told is None:
        return Markup("")
    key = f"notice-{change.id}"
    if told.subject.startswith("/") and looking.app_id is None:
        inside = "replies" if looking.thread_ts and change.thread_ts == looking.thread_ts else "messages"
        ts = change.ts or f"{time.time():.6f}"
        return call("message.html", "notice", key, sentence(painter, told), ts, painter.place(key), inside)
    return call("message.html", "toast", key, sentence(painter, told))


def sentence(painter: Painter, told: Notice) -> str:
    """The notice in the reader's language; its own text when its code isn't one of Slack's."""
    words = painter.words
    if told.code == "unknown_command":
        return words.command_unknown.format(told.subject)
    if told.subject.startswith("/"):
        return words.command_failed.format(told.subject.split()[0], told.code)
    if told.subject and told.code in {"operation_timeout", "dispatch_failed", "app_error"}:
        return words.app_silent.format(told.subject, told.code)
    return told.text or words.failed.format(told.code)
