"""Bringing payloads to apps and their answers back: three seconds, and events again when they got lost."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import structlog

from bot.workspace.ids import new_id
from bot.workspace.model import App, JsonObject
from bot.workspace.settings import Timings

_log = structlog.get_logger(__name__)


class EnvelopeKind(StrEnum):
    """What an envelope brings."""

    EVENT = "events_api"
    COMMAND = "slash_commands"
    INTERACTIVE = "interactive"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One payload on its way to one app."""

    id: str
    kind: EnvelopeKind
    payload: JsonObject
    url: str | None = None
    """where an app in HTTP mode takes it"""
    attempt: int = 0
    reason: str = ""

    def as_json(self) -> JsonObject:
        """The frame of Socket Mode."""
        frame: JsonObject = {
            "envelope_id": self.id,
            "type": self.kind.value,
            "accepts_response_payload": self.kind is not EnvelopeKind.EVENT,
            "payload": self.payload,
        }
        if self.kind is EnvelopeKind.EVENT:
            frame |= {"retry_attempt": self.attempt, "retry_reason": self.reason}
        return frame


class DeliveryError(Exception):
    """A payload that the app did not take. `reason` is Slack's `retry_reason`."""

    def __init__(self, reason: str, *, timed_out: bool = False, retry: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.timed_out = timed_out
        self.retry = retry


class Transport(Protocol):
    """A way to an app."""

    async def send(self, app: App, envelope: Envelope) -> JsonObject | None:
        """Bring it and wait for the acknowledgement; returns what came with it. Raises DeliveryError."""
        ...


def new_envelope_id() -> str:
    """A random UUID-like id."""
    raw = secrets.token_hex(16)
    return "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))


class Delivery:
    """Sends by the transport that the app's manifest chose."""

    def __init__(self, sockets: Transport, http: Transport, timings: Timings) -> None:
        self._sockets = sockets
        self._http = http
        self._timings = timings
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(
        self, app: App, kind: EnvelopeKind, payload: JsonObject, url: str | None
    ) -> JsonObject | None:
        """Deliver something a user waits for: once. Returns the answer; raises DeliveryError."""
        return await self._send(app, Envelope(new_envelope_id(), kind, payload, url))

    def tell(self, app: App, payload: JsonObject) -> None:
        """Deliver an event in the background, again when it isn't acknowledged."""
        envelope = Envelope(new_envelope_id(), EnvelopeKind.EVENT, payload, app.events_url)
        self.start(self._tell(app, envelope))

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run something in the background until it ends or the workspace closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, app: App, envelope: Envelope) -> None:
        for attempt in range(len(self._timings.retries) + 1):
            try:
                await self._send(app, envelope)
            except DeliveryError as error:
                _log.info("event_not_taken", app=app.id, attempt=attempt, reason=error.reason)
                if not error.retry or attempt == len(self._timings.retries):
                    return
                await asyncio.sleep(self._timings.retries[attempt])
                envelope = replace(envelope, id=new_envelope_id(), attempt=attempt + 1, reason=error.reason)
            else:
                return

    async def _send(self, app: App, envelope: Envelope) -> JsonObject | None:
        transport = self._sockets if app.socket_mode else self._http
        return await transport.send(app, envelope)

    async def close(self) -> None:
        """Stop everything that is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def event_payload(app: App, event: JsonObject, team_id: str, at: float) -> JsonObject:
    """An event in the wrapper that the Events API puts around it."""
    return {
        "token": "verification-token-is-deprecated",
        "team_id": team_id,
        "api_app_id": app.id,
        "event": event,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(at),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team_id,
                "user_id": app.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-" + secrets.token_urlsafe(24),
    }
