"""A small Bolt app that uses every part of the page, and the workspace it runs in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED
from tests.workspace.page import cards

MANIFEST: dict[str, object] = {
    "display_information": {"name": "표본", "description": "A sample app"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "bot_user": {"display_name": "표본"},
        "slash_commands": [
            {
                "command": "/sample",
                "description": "표본 앱과 이야기하기",
                "usage_hint": "[card|modal|whisper|slow]",
            },
            {"command": "/salute", "description": "인사", "usage_hint": "@누구"},
        ],
        "shortcuts": [
            {"name": "새 양식", "type": "global", "callback_id": "new_form", "description": "양식을 엽니다"}
        ],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "chat:write",
                "chat:write.customize",
                "commands",
                "channels:history",
                "channels:read",
                "im:history",
                "im:read",
                "im:write",
                "reactions:read",
                "reactions:write",
                "files:read",
                "files:write",
                "users:read",
                "app_mentions:read",
            ]
        }
    },
    "settings": {
        "event_subscriptions": {"bot_events": ["app_home_opened", "message.channels", "message.im"]},
        "interactivity": {"is_enabled": True},
        "socket_mode_enabled": True,
    },
}


@dataclass
class Heard:
    """What reached the app, so that a test can look at it."""

    actions: list[dict[str, JsonValue]] = field(default_factory=list)
    submissions: list[dict[str, JsonValue]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    """lets a button that waits be acknowledged"""


@dataclass
class Sample:
    """A running workspace with the app connected to it."""

    running: Running
    client: AsyncWebClient
    heard: Heard

    @property
    def url(self) -> str:
        """The page's address."""
        return self.running.url

    def channel(self, name: str = "general") -> str:
        """The id of a channel."""
        return self.running.workspace.channel_named(name).id

    def person(self, handle: str) -> str:
        """The id of a person."""
        return next(user.id for user in self.running.workspace.users() if user.name == handle)

    def address(self, handle: str = "doyun.lee", channel: str = "general") -> str:
        """The page of one person in one channel."""
        return f"{self.url}/client/{self.person(handle)}/{self.channel(channel)}"

    async def say(self, text: str = "", **more: object) -> str:
        """Post as the app into #general; returns the message's `ts`."""
        return await self.post({"text": text, **more})

    async def post(self, message: Mapping[str, object]) -> str:
        """Post a message with all its arguments into #general; returns its `ts`."""
        answer = await self.client.api_call("chat.postMessage", json={"channel": self.channel(), **message})
        return str(answer["ts"])


@asynccontextmanager
async def running_sample(state: Path, port: int = 0) -> AsyncIterator[Sample]:
    """The workspace and the app, connected."""
    async with serve(state, port, MANIFEST, channels=("general", "random"), rate_limits=UNLIMITED) as running:
        client = AsyncWebClient(token=running.bot_token, base_url=running.api_url)
        heard = Heard()
        app = AsyncApp(client=client)
        listen(app, heard)
        handler = AsyncSocketModeHandler(app, running.app_token)
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves its types out
        try:
            yield Sample(running, client, heard)
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]  # the same


def listen(app: AsyncApp, heard: Heard) -> None:
    """The app's listeners."""

    @app.command("/sample")
    async def sample(
        ack: AsyncAck, command: dict[str, str], client: AsyncWebClient, respond: AsyncRespond
    ) -> None:
        heard.commands.append(command["text"])
        match command["text"].split()[:1]:
            case ["slow"]:
                await heard.go_on.wait()
            case ["modal"]:
                await ack()
                await client.views_open(trigger_id=command["trigger_id"], view=cards.MODAL)
            case ["card"]:
                await ack()
                await client.api_call(
                    "chat.postMessage", json={"channel": command["channel_id"], **cards.ALERT}
                )
            case ["whisper"]:
                await ack()
                await respond("이 문장은 *혼자만* 봅니다.")
            case _:
                await ack("들었습니다: " + command["text"])

    @app.action("acknowledge")
    async def acknowledge(ack: AsyncAck, body: dict[str, JsonValue], client: AsyncWebClient) -> None:
        await ack()
        _note(heard, body)
        container = body["container"]
        assert isinstance(container, dict)
        where = {"channel": container["channel_id"], "ts": container["message_ts"]}
        await client.api_call("chat.update", json={**where, **cards.RESOLVED})

    @app.action("wait")
    async def wait(ack: AsyncAck, body: dict[str, JsonValue]) -> None:
        _note(heard, body)
        await heard.go_on.wait()
        await ack()

    @app.action({"action_id": "fail"})
    async def fail() -> None:
        """Never acknowledges."""

    @app.options("far")
    async def far(ack: AsyncAck, payload: dict[str, str]) -> None:
        offered = [
            name for name in ("서울", "부산", "Seoul", "Busan") if payload["value"].lower() in name.lower()
        ]
        await ack(options=[{"text": {"type": "plain_text", "text": name}, "value": name} for name in offered])

    @app.view("form")
    async def form(ack: AsyncAck, body: dict[str, JsonValue], view: dict[str, dict[str, JsonValue]]) -> None:
        values = view["state"]["values"]
        assert isinstance(values, dict)
        heard.submissions.append(values)
        reason = values["reason"]
        assert isinstance(reason, dict)
        said = reason["text"]
        assert isinstance(said, dict)
        if len(str(said["value"])) < 5:
            await ack(response_action="errors", errors={"reason": "다섯 글자 이상 적어 주세요."})
        elif said["value"] == "한 단계 더":
            await ack(response_action="push", view=cards.SECOND)
        else:
            await ack()

    @app.view_closed("form")
    async def closed(ack: AsyncAck) -> None:
        await ack()

    @app.view("second")
    async def second(ack: AsyncAck) -> None:
        await ack(response_action="clear")

    @app.shortcut("new_form")
    async def new_form(ack: AsyncAck, shortcut: dict[str, str], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=cards.MODAL)

    @app.event("app_home_opened")
    async def home(event: dict[str, str], client: AsyncWebClient) -> None:
        if event["tab"] == "home":
            await client.views_publish(user_id=event["user"], view=cards.HOME)

    @app.event("message")
    async def message() -> None:
        """Heard, not answered."""

    # The last listener takes every action that none above wanted.
    @app.action({"type": "block_actions", "action_id": re.compile(".*")})
    async def anything(ack: AsyncAck, body: dict[str, JsonValue]) -> None:
        await ack()
        _note(heard, body)


def _note(heard: Heard, body: dict[str, JsonValue]) -> None:
    actions = body["actions"]
    assert isinstance(actions, list)
    heard.actions += [action for action in actions if isinstance(action, dict)]
