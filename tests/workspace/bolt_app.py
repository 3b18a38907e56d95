"""A plain Bolt app that does what ordinary apps do, and a stage for it: over Socket Mode and in HTTP mode."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any  # listeners of Bolt take untyped payloads

from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.model import User
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED
from tests.workspace.harness import (
    actions,
    button,
    eventually,
    manifest,
    modal,
    plain,
)

Payload = dict[str, Any]  # as above
Say = Callable[..., Awaitable[object]]


@dataclass
class Seen:
    """What the app was sent."""

    commands: list[Payload] = field(default_factory=list)
    clicks: list[Payload] = field(default_factory=list)
    events: list[Payload] = field(default_factory=list)
    closed: list[Payload] = field(default_factory=list)
    retries: list[Payload] = field(default_factory=list)


def listen(app: AsyncApp, seen: Seen) -> None:
    """Everything an ordinary app does."""

    @app.command("/probe")
    async def command(ack: Say, body: Payload, respond: Say, client: AsyncWebClient) -> None:
        seen.commands.append(body)
        if body["text"] == "slow":
            await ack()
            await respond(text="a moment", response_type="ephemeral")
            await respond(text="everyone", response_type="in_channel")
        elif body["text"] == "form":
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=modal(notify_on_close=True))
        else:
            await ack(text="at once", blocks=[actions(button())])

    @app.event("app_mention")
    async def mention(event: Payload, say: Say) -> None:
        seen.events.append(event)
        await say(text=f"hello <@{event['user']}>", thread_ts=event["ts"])

    @app.event("app_home_opened")
    async def home(event: Payload, client: AsyncWebClient) -> None:
        blocks = [actions(button("home"))]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @app.event("message")
    async def message(event: Payload) -> None:
        seen.events.append(event)

    @app.action("press")
    async def press(ack: Say, body: Payload, respond: Say) -> None:
        await ack()
        seen.clicks.append(body)
        await respond(text="pressed", replace_original=True)

    @app.action("home")
    @app.action("again")
    async def in_view(ack: Say, body: Payload) -> None:
        await ack()
        seen.clicks.append(body)

    @app.options("external")
    async def options(ack: Say, payload: Payload) -> None:
        text = payload["value"]
        await ack(options=[{"text": plain(text + str(n)), "value": str(n)} for n in range(2)])

    @app.shortcut("everywhere")
    @app.shortcut("on_message")
    async def shortcut(ack: Say, body: Payload) -> None:
        await ack()
        seen.clicks.append(body)

    @app.view("form")
    async def submitted(ack: Say, view: Payload) -> None:
        value = view["state"]["values"]["field"]["value"]["value"]
        if value == "wrong":
            await ack(response_action="errors", errors={"field": "not this"})
        elif value == "update":
            await ack(response_action="update", view=modal(title=plain("Updated")))
        elif value == "push":
            await ack(response_action="push", view=modal(title=plain("Pushed")))
        elif value == "clear":
            await ack(response_action="clear")
        else:
            await ack()

    @app.view_closed("form")
    async def closed(ack: Say, body: Payload) -> None:
        await ack()
        seen.closed.append(body)


@dataclass
class Stage:
    """A workspace with an app that is connected to it."""

    running: Running
    seen: Seen

    @property
    def person(self) -> User:
        """The first of the people."""
        return self.running.workspace.users()[0]

    @property
    def general(self) -> str:
        """The id of #general."""
        return self.running.workspace.channel_named("general").id

    async def run(self, text: str) -> None:
        """Run a command that must be acknowledged."""
        outcome = await self.running.workspace.run_command(self.person.id, self.general, text)
        assert outcome.error is None, outcome

    async def form(self) -> str:
        """Open the app's modal and return its id."""
        await self.run("/probe form")
        views = await eventually(lambda: self.running.workspace.open_views(self.person.id) or None)
        return views[-1].id

    def texts(self, thread_ts: str | None = None) -> list[str]:
        """What the person reads in #general, or in a thread of it."""
        shown = self.running.workspace.messages(self.general, self.person.id, thread_ts=thread_ts)
        return [message.text for message in shown]


@asynccontextmanager
async def by_socket(state: Path) -> AsyncIterator[Stage]:
    """The app in Socket Mode."""
    async with serve(state, manifest=manifest(), rate_limits=UNLIMITED) as running:
        seen = Seen()
        app = AsyncApp(client=AsyncWebClient(running.bot_token, base_url=running.api_url))
        listen(app, seen)
        handler = AsyncSocketModeHandler(app, running.app_token)
        # Bolt leaves these two without types
        connect: Callable[[], Awaitable[None]] = handler.connect_async
        close: Callable[[], Awaitable[None]] = handler.close_async
        await connect()
        try:
            yield Stage(running, seen)
        finally:
            await close()


@asynccontextmanager
async def by_http(state: Path) -> AsyncIterator[Stage]:
    """The app in HTTP mode, behind its own server."""
    listening = web.AppRunner(web.Application())
    inner: list[AsyncApp] = []
    seen = Seen()

    async def receive(request: web.Request) -> web.StreamResponse:
        if "X-Slack-Retry-Num" in request.headers:
            seen.retries.append(dict(request.headers))
        server = inner[0].server(port=1, path="/slack/events")
        return await server.handle_post_requests(request)

    listening.app.router.add_post("/slack/events", receive)
    await listening.setup()
    site = web.TCPSite(listening, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{listening.addresses[0][1]}/slack/events"
    try:
        async with serve(state, manifest=manifest(http=url), rate_limits=UNLIMITED) as running:
            app = AsyncApp(
                client=AsyncWebClient(running.bot_token, base_url=running.api_url),
                signing_secret=running.signing_secret,
            )
            listen(app, seen)
            inner.append(app)
            yield Stage(running, seen)
    finally:
        await listening.cleanup()
