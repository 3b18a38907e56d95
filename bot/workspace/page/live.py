"""The live stream of a page: server-sent events with the fragments that changed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from aiohttp import web

from bot.workspace.core import Workspace
from bot.workspace.page import changes
from bot.workspace.page.guard import HEADERS
from bot.workspace.page.painter import Looking, Painter

HEARTBEAT = 15.0
"""seconds of silence after which a comment is sent, so that a dead connection is noticed"""

RETRY = 1000
"""milliseconds the browser waits before it connects again"""

OPEN_STREAMS: web.AppKey[set[asyncio.Task[None]]] = web.AppKey("open_streams", set)


def event(name: str, data: str, change_id: int) -> bytes:
    """One event in the stream's wire format."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"id: {change_id}\nevent: {name}\n{lines}\n".encode()


async def stream(
    request: web.Request, workspace: Workspace, painter: Painter, looking: Looking
) -> web.StreamResponse:
    """Send changes until the browser goes or the server stops; resumes behind `Last-Event-ID`."""
    response = web.StreamResponse(
        headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    seen = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    after = int(seen) if seen.isdigit() else workspace.last_change()
    task = asyncio.create_task(_send(response, workspace, painter, looking, after))
    streams = request.app[OPEN_STREAMS]
    streams.add(task)
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
        await asyncio.wait({task})
        streams.discard(task)
    if not task.cancelled() and isinstance(fault := task.exception(), Exception):
        # The browser going away is the usual end of a stream; anything else is a fault to be seen.
        if not isinstance(fault, ConnectionError):
            raise fault
    return response


async def _send(
    response: web.StreamResponse, workspace: Workspace, painter: Painter, looking: Looking, after: int
) -> None:
    await response.write(f"retry: {RETRY}\n".encode() + event("hello", "", after))
    async with aclosing(workspace.subscribe(painter.user_id, after)) as coming:
        waiting = asyncio.ensure_future(anext(coming, None))
        try:
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=HEARTBEAT)
                if not done:
                    await response.write(b": still here\n\n")
                    continue
                change = waiting.result()
                if change is None:
                    return
                drawn = changes.fragments(painter, change, looking)
                name = "refresh" if drawn is None else "patch"
                if drawn is None or drawn:
                    await response.write(event(name, drawn or "", change.id))
                waiting = asyncio.ensure_future(anext(coming, None))
        finally:
            waiting.cancel()
            await asyncio.wait({waiting})


async def close_streams(app: web.Application) -> None:
    """End all streams, so that stopping the server doesn't wait for browsers."""
    streams = app[OPEN_STREAMS]
    for task in list(streams):
        task.cancel()
