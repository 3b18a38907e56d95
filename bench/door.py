"""Slack's door: as much of Slack as an app needs, which notes when everything passes.

It is lighter than the local workspace, so that what is measured is the app and not the other side.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

CHANNELS = ("guardian-alerts", "guardian-ops", "general")
_ACK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message or an edit at Slack's door: when (monotonic seconds), where, and all of it as JSON text."""

    at: float
    method: str
    channel: str
    text: str


@dataclass(slots=True)
class Door:
    """What came in, and a way to send commands to the app that is connected."""

    url: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    connected_at: float | None = None
    """when the last hello was sent"""
    answers: int = 0
    """what was posted to a response_url"""
    refused: int = 0
    """commands that were not acknowledged within 3 s"""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _socket: web.WebSocketResponse | None = None
    _waiting: dict[str, asyncio.Future[float]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def api_url(self) -> str:
        """The base of the Web API."""
        return f"{self.url}/api/"

    async def until(self, ready: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until something that came in makes `ready` true. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not ready():
                self._news.clear()
                await self._news.wait()

    async def until_connected(self, seconds: float = 30.0) -> None:
        """Wait for a Socket Mode connection. Raises TimeoutError."""
        await self.until(lambda: self._socket is not None, seconds)

    async def until_reported(self, seconds: float = 30.0) -> None:
        """Wait for the first message. Raises TimeoutError."""
        await self.until(lambda: bool(self.arrivals), seconds)

    async def command(self, text: str) -> float | None:
        """Send `/guardian TEXT`; milliseconds from sending to the acknowledgement, None when none came."""
        socket = self._socket
        assert socket is not None, "no app is connected"
        number = next(self._numbers)
        envelope = f"envelope-{number}"
        waiting: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[envelope] = waiting
        frame = json.dumps(
            {
                "envelope_id": envelope,
                "type": "slash_commands",
                "accepts_response_payload": True,
                "payload": _command(text, number, self.url),
            }
        )
        sent = time.perf_counter()
        try:
            await socket.send_str(frame)
            async with asyncio.timeout(_ACK_SECONDS):
                return (await waiting - sent) * 1000
        except TimeoutError:
            self.refused += 1
            return None
        finally:
            self._waiting.pop(envelope, None)

    async def api(self, request: web.Request) -> web.Response:
        """A call of the Web API."""
        at = time.monotonic()
        method = request.match_info["method"]
        if method in ("chat.postMessage", "chat.update"):
            given = await _arguments(request)
            channel, ts = given.get("channel", ""), given.get("ts") or f"{time.time():.6f}"
            self.arrivals.append(Arrival(at, method, channel, json.dumps(given, ensure_ascii=False)))
            self._news.set()
            return web.json_response({"ok": True, "channel": channel, "ts": ts})
        if method == "apps.connections.open":
            return web.json_response({"ok": True, "url": self.url.replace("http", "ws", 1) + "/socket"})
        if method == "conversations.list":
            channels = [
                {"id": f"C{number:08}", "name": name, "is_archived": False, "is_member": True}
                for number, name in enumerate(CHANNELS)
            ]
            return web.json_response({"ok": True, "channels": channels})
        who = {"team": "Bench", "team_id": "T00000001", "user": "guardian", "user_id": "U00000001"}
        return web.json_response({"ok": True, "url": self.url, "bot_id": "B00000001", "messages": [], **who})

    async def answer(self, request: web.Request) -> web.Response:
        """Something posted to a response_url."""
        await request.read()
        self.answers += 1
        self._news.set()
        return web.Response(text="ok")

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """A Socket Mode connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        hello = {"type": "hello", "num_connections": 1, "debug_info": {}, "connection_info": {"app_id": "A1"}}
        await socket.send_str(json.dumps(hello))
        self.connected_at = time.monotonic()
        self._socket = socket
        self._news.set()
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    at = time.perf_counter()
                    waiting = self._waiting.get(json.loads(frame.data).get("envelope_id"))
                    if waiting is not None and not waiting.done():
                        waiting.set_result(at)
        finally:
            self._socket = None
        return socket


@asynccontextmanager
async def open_door() -> AsyncIterator[Door]:
    """Listen on a free loopback port until the block ends."""
    door = Door()
    application = web.Application(client_max_size=4 * 1024 * 1024)
    application.router.add_route("*", "/api/{method}", door.api)
    application.router.add_post("/answer/{number}", door.answer)
    application.router.add_get("/socket", door.socket)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield door
    finally:
        await runner.cleanup()


async def _arguments(request: web.Request) -> dict[str, str]:
    if request.content_type == "application/json":
        given: dict[str, str] = await request.json()
        return given
    return {name: str(value) for name, value in (await request.post()).items()}


def _command(text: str, number: int, url: str) -> dict[str, str]:
    return {
        "token": "deprecated",
        "team_id": "T00000001",
        "team_domain": "bench",
        "channel_id": "C00000001",
        "channel_name": "guardian-ops",
        "user_id": "U00000002",
        "user_name": "bench",
        "command": "/guardian",
        "text": text,
        "api_app_id": "A1",
        "is_enterprise_install": "false",
        "response_url": f"{url}/answer/{number}",
        "trigger_id": f"{number}.{time.time_ns()}",
    }
