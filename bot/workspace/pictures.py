"""Which of its own files an app may show in an image block or element, as `slack_file`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from pydantic import JsonValue

from bot.workspace.book import Book
from bot.workspace.content import Content, refuse
from bot.workspace.ids import now
from bot.workspace.model import App, File
from bot.workspace.rules import complaint

SHOWN = frozenset({"image/png", "image/jpeg", "image/gif"})


def need_pictures(book: Book, app: App, content: Content) -> None:
    """Raise SlackError `invalid_blocks` or `invalid_attachments` for a picture that the app may not show."""
    refuse("invalid_blocks", picture_problems(book, app, content.blocks, "/blocks"))
    refuse(
        "invalid_attachments",
        [
            problem
            for index, attachment in enumerate(content.attachments)
            for problem in picture_problems(
                book, app, attachment.get("blocks"), f"/attachments/{index}/blocks"
            )
        ],
    )


def picture_problems(
    book: Book, app: App, blocks: JsonValue | Sequence[JsonValue], pointer: str
) -> list[str]:
    """A complaint for each `slack_file` in the blocks that is not a picture, not uploaded to its end, still
    being looked through, or not the app's to see."""
    return [
        complaint("invalid slack file", place)
        for place, named in _named(blocks, pointer)
        if not _may_show(book, app, _file(book, named))
    ]


def _named(
    node: JsonValue | Sequence[JsonValue], pointer: str
) -> Iterator[tuple[str, Mapping[str, JsonValue]]]:
    """Every `slack_file` with its place."""
    children: Iterable[tuple[str | int, JsonValue]] = ()
    if isinstance(node, Mapping):
        named = node.get("slack_file")
        if node.get("type") == "image" and isinstance(named, dict):
            yield f"{pointer}/slack_file", named
        children = node.items()
    elif isinstance(node, list | tuple):
        children = enumerate(node)
    for name, child in children:
        if isinstance(child, dict | list):
            yield from _named(child, f"{pointer}/{name}")


def _file(book: Book, named: Mapping[str, JsonValue]) -> File | None:
    if isinstance(named.get("id"), str):
        return book.files.get(str(named["id"]))
    # Of a file's addresses its id is a part: /files-pri/F…/name.
    parts = urlsplit(str(named.get("url") or "")).path.split("/")
    return next((book.files[part] for part in parts if part in book.files), None)


def _may_show(book: Book, app: App, file: File | None) -> bool:
    if file is None or not file.complete or file.ready_at > now() or file.mimetype not in SHOWN:
        return False
    channels = (book.channels.get(channel) for channel in file.channels)
    return file.user == app.bot_user or any(
        channel is not None and app.bot_user in channel.members for channel in channels
    )
