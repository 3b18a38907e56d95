"""Socket Mode: the connections of each app and what is acknowledged on them."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bot.workspace.delivery import DeliveryError, Envelope
from bot.workspace.errors import SlackError
from bot.workspace.ids import now
from bot.workspace.journal import as_json
from bot.workspace.model import App, JsonObject
from bot.workspace.settings import Timings
from bot.workspace.texts import parse_json

MOST_CONNECTIONS = 10
_HOST = "applink-local"


@dataclass(eq=False)
class Connection:
    """One open socket and the envelopes on it that wait for their acknowledgement."""

    app_id: str
    socket: web.WebSocketResponse
    request: web.Request
    waiting: dict[str, asyncio.Future[JsonObject | None]] = field(default_factory=dict)
    leaving: bool = False
    """it was told to disconnect and gets nothing more"""

    async def send(self, frame: JsonObject) -> None:
        """Send one frame. Raises DeliveryError when the socket is gone."""
        try:
            await self.socket.send_str(as_json(frame))
        except (ConnectionError, RuntimeError) as error:
            raise DeliveryError("connection_failed") from error


class Sockets:
    """All Socket Mode connections."""

    def __init__(self, timings: Timings) -> None:
        self._timings = timings
        self._tickets: dict[str, tuple[str, float]] = {}
        self._connections: dict[str, list[Connection]] = {}
        self._turn = 0
        self.duplicates = 0
        """how many of the next envelopes are sent twice"""

    def open(self, app: App) -> str:
        """The secret part of an address that one connection may be made with."""
        self._tickets = {ticket: value for ticket, value in self._tickets.items() if value[1] > now()}
        ticket = secrets.token_hex(24)
        self._tickets[ticket] = (app.id, now() + self._timings.socket_ticket)
        return ticket

    def redeem(self, ticket: str) -> str:
        """The app that the address is for; used up thereby. Raises SlackError."""
        app_id, until = self._tickets.pop(ticket, ("", 0.0))
        if until <= now():
            raise SlackError("invalid_ticket")
        return app_id

    def online(self, app_id: str) -> bool:
        """Whether the app has a connection that takes envelopes."""
        return any(not connection.leaving for connection in self._connections.get(app_id, []))

    def count(self, app_id: str) -> int:
        """How many connections the app has."""
        return len(self._connections.get(app_id, []))

    async def serve(self, request: web.Request, app_id: str) -> web.WebSocketResponse:
        """Speak with one connection until it ends."""
        socket = web.WebSocketResponse(heartbeat=30.0, max_msg_size=4 * 1024 * 1024)
        await socket.prepare(request)
        connection = Connection(app_id, socket, request)
        connections = self._connections.setdefault(app_id, [])
        if len(connections) >= MOST_CONNECTIONS:
            await connection.send(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        connections.append(connection)
        try:
            await connection.send(self._hello(app_id))
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    _acknowledge(connection, frame.data)
        except DeliveryError:
            pass  # gone before the hello
        finally:
            connections.remove(connection)
            for waiting in connection.waiting.values():
                if not waiting.done():
                    waiting.set_exception(DeliveryError("connection_failed"))
        return socket

    def _hello(self, app_id: str) -> JsonObject:
        return {
            "type": "hello",
            "num_connections": self.count(app_id),
            "debug_info": {
                "host": _HOST,
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": app_id},
        }

    async def send(self, app: App, envelope: Envelope) -> JsonObject | None:
        """Send to one of the app's connections and wait for the acknowledgement."""
        open_ones = [c for c in self._connections.get(app.id, []) if not c.leaving]
        if not open_ones:
            raise DeliveryError("no_active_connection")
        self._turn += 1
        connection = open_ones[self._turn % len(open_ones)]
        waiting: asyncio.Future[JsonObject | None] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope.id] = waiting
        try:
            async with asyncio.timeout(self._timings.acknowledgement):
                await connection.send(envelope.as_json())
                if self.duplicates > 0:
                    self.duplicates -= 1
                    await connection.send(envelope.as_json())
                return await waiting
        except TimeoutError as error:
            raise DeliveryError("timeout", timed_out=True) from error
        finally:
            connection.waiting.pop(envelope.id, None)

    async def disconnect(self, app_id: str | None, reason: str) -> None:
        """Ask connections to leave: `warning`, `refresh_requested` or `link_disabled`.

        A warning comes some seconds ahead and the connection goes on; after the others it is closed.
        """
        for connection in self._of(app_id):
            try:
                await connection.send(_disconnect(reason))
            except DeliveryError:
                continue
            if reason != "warning":
                connection.leaving = True
                await connection.socket.close()

    async def refresh(self, app_id: str | None) -> None:
        """What Slack does every few hours: warn, and ask to reconnect when the time is up."""
        ahead = self._of(app_id)
        await self.disconnect(app_id, "warning")
        await asyncio.sleep(self._timings.disconnect_warning)
        for connection in ahead:
            connection.leaving = True
            try:
                await connection.send(_disconnect("refresh_requested"))
            except DeliveryError:
                continue
            await connection.socket.close()

    def drop(self, app_id: str | None = None) -> int:
        """Cut connections without a word; returns how many."""
        cut = self._of(app_id)
        for connection in cut:
            connection.leaving = True
            if connection.request.transport is not None:
                connection.request.transport.abort()
        return len(cut)

    def _of(self, app_id: str | None) -> list[Connection]:
        if app_id is not None:
            return list(self._connections.get(app_id, []))
        return [connection for connections in self._connections.values() for connection in connections]

    async def close(self) -> None:
        """Close all connections as a server does that goes away."""
        for connection in self._of(None):
            connection.leaving = True
            await connection.socket.close(code=1001, drain=False)


def _disconnect(reason: str) -> JsonObject:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}}


def _acknowledge(connection: Connection, data: str) -> None:
    try:
        answer = parse_json(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(answer, dict):
        return
    waiting = connection.waiting.get(str(answer.get("envelope_id")))
    if waiting is not None and not waiting.done():
        payload = answer.get("payload")
        waiting.set_result(payload if isinstance(payload, dict) else None)
