"""Uploads pictures that the app's own messages show, and files into threads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.engine.delivery import Ambiguous, DeliveryFailed, Permanent, Temporary
from bot.slack.failures import delivery_failures
from messages.escape import truncate

_ALT_TEXT = 300
"""Slack takes 1,000 characters, but in the address of the call, where a Korean one takes nine."""
_TITLE = 200
_SLOWEST = 100_000
"""bytes a second that an upload may be slow"""
_PAGES = 5
"""of a thread that are looked through"""


async def upload(client: AsyncWebClient, png: bytes, name: str, title: str, alt: str) -> str:
    """Upload a picture that only the app's own blocks show; its id (`F…`).

    Slack looks a new file through, and answers "invalid slack file" to a block that names it, for some
    moments. Raises what the outbox's courier raises (`bot.engine.delivery`): Blocked with `missing_scope`,
    for instance, where the app may not upload.
    """
    with delivery_failures():
        asked = await client.files_getUploadURLExternal(
            filename=name, length=len(png), alt_txt=truncate(alt, _ALT_TEXT)
        )
        address, file_id = str(asked["upload_url"]), str(asked["file_id"])
        if client.session is not None:
            await _send(client.session, address, png)
        else:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=client.timeout)) as session:
                await _send(session, address, png)
        await client.files_completeUploadExternal(files=[{"id": file_id, "title": truncate(title, _TITLE)}])
    return file_id


async def share(
    client: AsyncWebClient, content: bytes | Path, name: str, title: str, channel: str, thread_ts: str
) -> None:
    """Upload a text file into a thread; one of a path is read while it is sent, because lists have millions
    of lines. Raises what the outbox's courier raises, and OSError for a file that cannot be read."""
    # Slack takes no empty files.
    body: bytes | BinaryIO = b"\n"
    if isinstance(content, Path):
        size = await asyncio.to_thread(lambda: content.stat().st_size)
        if size:
            body = await asyncio.to_thread(content.open, "rb")
    else:
        size, body = len(content), content or body
    try:
        with delivery_failures():
            asked = await client.files_getUploadURLExternal(filename=name, length=max(size, 1))
            address, file_id = str(asked["upload_url"]), str(asked["file_id"])
            seconds = client.timeout + size / _SLOWEST
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds)) as session:
                await _send(session, address, body, "text/plain; charset=utf-8")
            await client.files_completeUploadExternal(
                files=[{"id": file_id, "title": truncate(title, _TITLE)}],
                channel_id=channel,
                thread_ts=thread_ts,
            )
    finally:
        if not isinstance(body, bytes):
            await asyncio.to_thread(body.close)


async def is_shared(client: AsyncWebClient, name: str, channel: str, thread_ts: str) -> bool:
    """Whether a thread has a file of that title. False where nobody can tell: rather the same list twice than
    a plan that nobody could read. Raises Temporary and Ambiguous."""
    cursor: str | None = None
    for _ in range(_PAGES):
        try:
            with delivery_failures():
                page = await client.conversations_replies(
                    channel=channel, ts=thread_ts, limit=200, cursor=cursor
                )
        except (Temporary, Ambiguous):
            raise
        except DeliveryFailed:
            return False
        messages: list[Mapping[str, list[Mapping[str, str]]]] = page.get("messages", [])
        if any(file.get("title") == name for message in messages for file in message.get("files", [])):
            return True
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return False


async def _send(
    session: aiohttp.ClientSession, address: str, body: bytes | BinaryIO, content_type: str = "image/png"
) -> None:
    async with session.post(address, data=body, headers={"Content-Type": content_type}) as answer:
        if answer.status >= 500 or answer.status == 429:
            raise Temporary(f"upload: http_{answer.status}")
        if answer.status != 200:
            raise Permanent(f"upload: http_{answer.status}")
