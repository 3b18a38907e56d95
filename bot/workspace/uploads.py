"""Files: their bytes on disk, their descriptions in the book."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import PurePath

from bot.workspace.book import Book
from bot.workspace.ids import new_id, now
from bot.workspace.model import File

_OWN_TYPES = {".md": "text/markdown", ".log": "text/plain", ".yaml": "text/yaml", ".yml": "text/yaml"}


def new_file(user_id: str, name: str, size: int, alt_text: str = "") -> File:
    """The description of a file whose bytes are still to come."""
    name = PurePath(name.replace("\\", "/")).name or "file"
    suffix = PurePath(name).suffix.lower()
    mimetype = _OWN_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return File(
        id=new_id("F"),
        name=name,
        title=name,
        mimetype=mimetype,
        filetype=suffix.lstrip(".") or "binary",
        size=size,
        user=user_id,
        created=int(now()),
        alt_text=alt_text,
    )


async def keep_file(book: Book, user_id: str, name: str, content: bytes) -> File:
    """Write a file's bytes and note its description."""
    file = new_file(user_id, name, len(content))
    await write_file(book, file, content)
    book.put_file(file)
    return file


async def write_file(book: Book, file: File, content: bytes) -> None:
    """Write a file's bytes."""
    await asyncio.to_thread((book.files_dir / file.id).write_bytes, content)
