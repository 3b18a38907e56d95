"""A running workspace, a client of its Web API, and its people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.model import Channel, User
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED
from tests.workspace.harness import Socket, manifest


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A workspace with one Socket Mode app and no rate limits."""
    async with serve(
        tmp_path, manifest=manifest(), channels=["general", "alerts"], rate_limits=UNLIMITED
    ) as server:
        yield server


@pytest.fixture
def client(running: Running) -> AsyncWebClient:
    """The app's own client."""
    return AsyncWebClient(running.bot_token, base_url=running.api_url)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def socket(running: Running, session: aiohttp.ClientSession) -> Socket:
    """A connected Socket Mode client."""
    connected = Socket(running, session)
    await connected.connect()
    return connected


@pytest.fixture
def person(running: Running) -> User:
    """The first of the people."""
    return running.workspace.users()[0]


@pytest.fixture
def other(running: Running) -> User:
    """The second of the people."""
    return running.workspace.users()[1]


@pytest.fixture
def general(running: Running) -> Channel:
    """The channel #general."""
    return running.workspace.channel_named("general")


@pytest.fixture
def alerts(running: Running) -> Channel:
    """A channel that can be archived."""
    return running.workspace.channel_named("alerts")


Poster = Callable[..., Awaitable[str]]


@pytest.fixture
def post(client: AsyncWebClient, general: Channel) -> Poster:
    """Posts to #general and returns the message's ts."""

    async def send(**arguments: object) -> str:
        answer = await client.api_call(
            "chat.postMessage", json={"channel": general.id, "text": "hello", **arguments}
        )
        return str(answer["ts"])

    return send
