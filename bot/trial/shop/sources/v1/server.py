"""HTTP/1.1 with nothing but the standard library: enough for a page and its data."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import NamedTuple

_LARGEST_HEAD = 16 * 1024
_LAST_REQUESTS = 5.0
"""seconds that requests under way have when told to end"""


class Answer(NamedTuple):
    """What a request is answered with."""

    body: bytes
    kind: str = "text/html; charset=utf-8"
    status: int = 200


Answers = Callable[[str], Awaitable[Answer]]
"""The answer to a request for that path."""


async def serve(host: str, port: int, answers: Answers, over: asyncio.Event) -> None:
    """Answer requests until it is over, and those under way then, too."""
    connections = Connections(answers)
    server = await asyncio.start_server(
        connections.connected, host, port, limit=_LARGEST_HEAD, backlog=512, reuse_address=True
    )
    await over.wait()
    server.close()
    connections.over = True
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_REQUESTS):
            await connections.idle.wait()


class Connections:
    """All clients."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._under_way = 0
        """requests that are not answered yet"""
        self.idle = asyncio.Event()
        """set while there are none of these"""
        self.idle.set()
        self.over = False

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client's requests."""
        try:
            while await self._one(reader, writer) and not self.over:
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client is gone, or talks of something else
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self._under_way += 1
        self.idle.clear()
        try:
            answer, goes_on, with_body = await self._answer(head)
            writer.write(_written(answer, goes_on, with_body))
            await writer.drain()
            return goes_on
        finally:
            self._under_way -= 1
            if not self._under_way:
                self.idle.set()

    async def _answer(self, head: str) -> tuple[Answer, bool, bool]:
        """The answer, whether the connection goes on, and whether the answer's body is wanted."""
        first, _, fields = head.partition("\r\n")
        words, lowered = first.split(" "), fields.lower()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return Answer(b"", status=400), False, False
        if words[0] not in ("GET", "HEAD") or "content-length:" in lowered or "transfer-encoding:" in lowered:
            return Answer(b"", status=405), False, False
        answer = await _answered(words[1].partition("?")[0], self._answers)
        goes_on = "connection: close" not in lowered and words[2] != "HTTP/1.0" and not self.over
        return answer, goes_on, words[0] == "GET"


async def _answered(path: str, answers: Answers) -> Answer:
    try:
        return await answers(path)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one request, the others go on
        sys.stderr.write(f"{path}: {error!r}\n")
        return Answer(b"<h1>500</h1>", status=500)


def _written(answer: Answer, goes_on: bool, with_body: bool) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
        f"Content-Type: {answer.kind}\r\nContent-Length: {len(answer.body)}\r\n"
        "Server: guardian-trial-shop\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
        f"Connection: {'keep-alive' if goes_on else 'close'}\r\n\r\n"
    )
    return head.encode() + (answer.body if with_body else b"")
