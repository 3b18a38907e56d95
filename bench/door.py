"""Slack's door: as much of Slack as an app needs, which notes when everything passes.

It is lighter than the local workspace, so that what is measured is the app and not the other side.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bench.manners import Manners, TakesAll

CHANNELS = ("guardian-alerts", "guardian-ops", "general")
OPS_CHANNEL = f"C{CHANNELS.index('guardian-ops'):08}"
"""the id of the channel in which the Guardian speaks of itself"""
_ACK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message or an edit at Slack's door: when (monotonic seconds), where, and all of it as JSON text.

    `mark` is what the sender knows it by again, `thread` the message it answers; both empty without."""

    at: float
    method: str
    channel: str
    text: str
    ts: str = ""
    mark: str = ""
    thread: str = ""


@dataclass(slots=True)
class Door:
    """What came in, and a way to send commands to the app that is connected. `manners`: what it refuses."""

    url: str = ""
    manners: Manners = field(default_factory=TakesAll)
    arrivals: list[Arrival] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    """when something was refused"""
    on_taken: Callable[[Arrival], None] = lambda arrival: None
    """called with what was taken, before whoever sent it is told"""
    connected_at: float | None = None
    """when the last hello was sent"""
    answers: int = 0
    """what was posted to a response_url"""
    answered_at: float = 0.0
    """when the last of it came"""
    refused: int = 0
    """commands and clicks that were not acknowledged within 3 s"""
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
        number = next(self._numbers)
        return await self._send("slash_commands", number, _command(text, number, self.url))

    async def press(self, card: Arrival, action_id: str, value: str) -> float | None:
        """Press a button of that card; as `command` has it."""
        number = next(self._numbers)
        return await self._send("interactive", number, _press(card, action_id, value, number, self.url))

    async def _send(self, kind: str, number: int, payload: Mapping[str, object]) -> float | None:
        socket = self._socket
        assert socket is not None, "no app is connected"
        envelope = f"envelope-{number}"
        waiting: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[envelope] = waiting
        frame = json.dumps(
            {
                "envelope_id": envelope,
                "type": kind,
                "accepts_response_payload": True,
                "payload": payload,
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
        given = await _arguments(request)
        channel = str(given.get("channel", ""))
        refusal = self.manners.refusal(at, method, channel)
        if refusal is not None:
            self.refusals.append(at)
        if method in ("chat.postMessage", "chat.update"):
            ts = str(given.get("ts") or self._new_ts())
            if refusal is None or refusal.taken:
                self._take(Arrival(at, method, channel, json.dumps(given, ensure_ascii=False), ts,
                                   _mark(given), str(given.get("thread_ts") or "")))  # fmt: skip
            if refusal is None:
                return web.json_response({"ok": True, "channel": channel, "ts": ts})
        if refusal is not None:
            return web.json_response(
                {"ok": False, "error": refusal.error}, status=refusal.status, headers=refusal.headers
            )
        if method in ("conversations.history", "conversations.replies"):
            return web.json_response(
                {"ok": True, "messages": self._messages(channel, str(given.get("ts", "")))}
            )
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

    async def hook(self, request: web.Request) -> web.Response:
        """Something posted to an incoming webhook."""
        at = time.monotonic()
        text = await request.text()
        refusal = self.manners.refusal(at, "chat.postMessage", "hook")
        if refusal is None or refusal.taken:
            self._take(Arrival(at, "chat.postMessage", "hook", text, self._new_ts()))
        if refusal is None:
            return web.Response(text="ok")
        self.refusals.append(at)
        return web.Response(text=refusal.error, status=refusal.status, headers=refusal.headers)

    async def answer(self, request: web.Request) -> web.Response:
        """Something posted to a response_url."""
        await request.read()
        self.answers += 1
        self.answered_at = time.monotonic()
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

    def _take(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)
        self._news.set()
        self.on_taken(arrival)

    def _new_ts(self) -> str:
        # In the order of coming and each once, as Slack's are.
        return f"{int(time.time())}.{next(self._numbers):06}"

    def _messages(self, channel: str, thread: str) -> list[dict[str, object]]:
        """What is in a channel, or in a thread of it, newest first, as far as senders look for their own."""
        return [
            {"ts": each.ts, "metadata": {"event_payload": {"letter": each.mark}}}
            for each in reversed(self.arrivals)
            if each.method == "chat.postMessage" and (each.channel, each.thread) == (channel, thread)
        ]


@asynccontextmanager
async def open_door() -> AsyncIterator[Door]:
    """Listen on a free loopback port until the block ends."""
    door = Door()
    application = web.Application(client_max_size=4 * 1024 * 1024)
    application.router.add_route("*", "/api/{method}", door.api)
    application.router.add_post("/answer/{number}", door.answer)
    application.router.add_post("/hook", door.hook)
    application.router.add_get("/socket", door.socket)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield door
    finally:
        await runner.cleanup()


async def _arguments(request: web.Request) -> dict[str, object]:
    if request.content_type == "application/json":
        given: dict[str, object] = await request.json()
        return given
    return {name: str(value) for name, value in [*request.query.items(), *(await request.post()).items()]}


def _mark(given: Mapping[str, object]) -> str:
    metadata = given.get("metadata")
    if isinstance(metadata, str):
        metadata = json.loads(metadata)
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return str(payload.get("letter", "")) if isinstance(payload, dict) else ""


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


def _press(card: Arrival, action_id: str, value: str, number: int, url: str) -> dict[str, object]:
    message = json.loads(card.text)
    return {
        "type": "block_actions",
        "token": "deprecated",
        "team": {"id": "T00000001", "domain": "bench"},
        "user": {"id": "U00000002", "username": "bench", "team_id": "T00000001"},
        "api_app_id": "A1",
        "channel": {"id": card.channel, "name": "guardian-ops"},
        "container": {"type": "message", "message_ts": card.ts, "channel_id": card.channel},
        "message": {"ts": card.ts, "text": message.get("text", "")},
        "actions": [{"type": "button", "action_id": action_id, "block_id": "bench", "value": value}],
        "response_url": f"{url}/answer/{number}",
        "trigger_id": f"{number}.{time.time_ns()}",
    }
