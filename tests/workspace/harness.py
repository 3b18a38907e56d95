"""What the tests of the workspace share: a manifest, a wait for a condition, a bare Socket Mode client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TypeVar

import aiohttp
from pydantic import JsonValue
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.model import JsonObject
from bot.workspace.server import Running

T = TypeVar("T")
CEILING = 30.0
"""seconds; far beyond what anything here takes"""

SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "chat:write.customize",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
EVENTS = (
    "app_home_opened",
    "app_mention",
    "channel_archive",
    "file_shared",
    "message.channels",
    "message.im",
    "reaction_added",
)


def manifest(
    *, name: str = "Probe", scopes: tuple[str, ...] = SCOPES, http: str | None = None, home: bool = True
) -> dict[str, object]:
    """An app's manifest; with `http`, the address that takes everything instead of Socket Mode."""
    url = {} if http is None else {"request_url": http}
    command = {"command": "/probe", "description": "Try", "usage_hint": "[what]", "should_escape": False}
    marked = {"command": "/marked", "description": "Try with marks", "should_escape": True}
    commands = [c | ({} if http is None else {"url": http}) for c in (command, marked)]
    return {
        "display_information": {"name": name, "description": "An app under test"},
        "features": {
            "app_home": {"home_tab_enabled": home, "messages_tab_enabled": True},
            "bot_user": {"display_name": name},
            "slash_commands": commands,
            "shortcuts": [
                {"name": "Global", "type": "global", "callback_id": "everywhere", "description": "x"},
                {"name": "Here", "type": "message", "callback_id": "on_message", "description": "x"},
            ],
        },
        "oauth_config": {"scopes": {"bot": list(scopes)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS), **url},
            "interactivity": {"is_enabled": True, **url},
            "socket_mode_enabled": http is None,
        },
    }


async def eventually(check: Callable[[], T | None]) -> T:
    """The first value that is neither None nor False; fails after a generous while."""
    async with asyncio.timeout(CEILING):
        while True:
            found = check()
            if found is not None and found is not False:
                return found
            await asyncio.sleep(0.005)


async def error_of(client: AsyncWebClient, method: str, **arguments: object) -> str:
    """The error of a call that must be refused."""
    return str((await refusal_of(client, method, **arguments)).response["error"])


async def refusal_of(client: AsyncWebClient, method: str, **arguments: object) -> SlackApiError:
    """The refusal of a call that must be refused."""
    try:
        await client.api_call(method, json=arguments)
    except SlackApiError as error:
        return error
    raise AssertionError(f"{method} was taken")


class Socket:
    """A bare Socket Mode client that acknowledges nothing by itself."""

    def __init__(self, running: Running, session: aiohttp.ClientSession) -> None:
        self._running = running
        self._session = session
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    async def address(self) -> str:
        """A fresh address from apps.connections.open."""
        client = AsyncWebClient(self._running.app_token, base_url=self._running.api_url)
        return str((await client.apps_connections_open(app_token=self._running.app_token))["url"])

    async def connect(self, address: str | None = None) -> JsonObject:
        """Connect and return the hello."""
        self.socket = await self._session.ws_connect(address or await self.address())
        return await self.next()

    async def next(self) -> JsonObject:
        """The next frame."""
        assert self.socket is not None
        async with asyncio.timeout(CEILING):
            frame: JsonValue = json.loads(await self.socket.receive_str())
        assert isinstance(frame, dict)
        return frame

    async def ack(self, frame: JsonObject, payload: JsonObject | None = None) -> None:
        """Acknowledge a frame."""
        assert self.socket is not None
        answer: JsonObject = {"envelope_id": frame["envelope_id"]}
        if payload is not None:
            answer["payload"] = payload
        await self.socket.send_str(json.dumps(answer))

    async def closed(self) -> bool:
        """Wait for the end of the connection."""
        assert self.socket is not None
        async with asyncio.timeout(CEILING):
            while not self.socket.closed:
                await self.socket.receive()
        return True


def payload_of(frame: JsonObject) -> JsonObject:
    """The payload of an envelope."""
    payload = frame["payload"]
    assert isinstance(payload, dict)
    return payload


def event_of(frame: JsonObject) -> JsonObject:
    """The event in an envelope."""
    event = payload_of(frame)["event"]
    assert isinstance(event, dict)
    return event


def plain(text: str) -> JsonObject:
    """A plain text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> JsonObject:
    """A mrkdwn text object."""
    return {"type": "mrkdwn", "text": text}


def button(action_id: str = "press", **more: JsonValue) -> JsonObject:
    """A button."""
    return {"type": "button", "text": plain("Press"), "action_id": action_id, **more}


def actions(*elements: JsonValue, block_id: str = "row") -> JsonObject:
    """An actions block."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def modal(*blocks: JsonValue, **more: JsonValue) -> JsonObject:
    """A modal; with an input when no blocks are given."""
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain("Form"),
        "submit": plain("Send"),
        "blocks": list(blocks) or [text_input()],
        **more,
    }


def text_input(block_id: str = "field", **more: JsonValue) -> JsonObject:
    """An input block with a text field named `value`."""
    element: JsonObject = {"type": "plain_text_input", "action_id": "value", **more}
    return {"type": "input", "block_id": block_id, "label": plain("Label"), "element": element}


def typed(text: str, block_id: str = "field") -> JsonObject:
    """The state of a form with that text in its field."""
    return {block_id: {"value": {"type": "plain_text_input", "value": text}}}
