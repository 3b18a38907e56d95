"""Faults: what is ordered happens, as often as ordered, and ends."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.faults import FaultKind
from bot.workspace.model import Channel, User
from bot.workspace.server import Running
from tests.workspace.conftest import Poster
from tests.workspace.harness import CEILING, Socket, error_of, eventually


@pytest.fixture
def client(running: Running) -> AsyncWebClient:
    """A client that tries nothing twice."""
    client = AsyncWebClient(running.bot_token, base_url=running.api_url)
    client.retry_handlers = []
    return client


async def test_the_next_calls_of_a_method_fail(running: Running, client: AsyncWebClient) -> None:
    running.faults.add("auth.test", FaultKind.ERROR, times=2, error="service_unavailable")
    assert await error_of(client, "auth.test") == "service_unavailable"
    assert (await client.users_list())["ok"]  # other methods don't
    assert await error_of(client, "auth.test") == "service_unavailable"
    assert (await client.auth_test())["ok"]


async def test_all_methods_fail_until_the_faults_are_cleared(
    running: Running, client: AsyncWebClient
) -> None:
    running.faults.add("*", FaultKind.RATE_LIMITED, seconds=3600, retry_after=17)
    for method in ("auth.test", "users.list"):
        with pytest.raises(SlackApiError) as refused:
            await client.api_call(method)
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "17"
    assert len(running.faults.orders) == 1
    await running.faults.clear()
    assert (await client.auth_test())["ok"]


async def test_a_call_can_fail_with_a_status(running: Running, session: aiohttp.ClientSession) -> None:
    running.faults.add("auth.test", FaultKind.HTTP, status=503)
    async with session.post(running.api_url + "auth.test") as response:
        assert response.status == 503 and response.content_type == "text/plain"


async def test_a_hanging_call_is_not_done(
    running: Running, client: AsyncWebClient, general: Channel, person: User
) -> None:
    running.faults.add("chat.postMessage", FaultKind.HANG)
    call = asyncio.create_task(client.chat_postMessage(channel=general.id, text="lost"))
    await eventually(lambda: not running.faults.orders)
    assert not call.done()
    await running.faults.clear()
    with pytest.raises(aiohttp.ClientError):
        await call
    assert running.workspace.messages(general.id, person.id) == []


async def test_a_call_can_be_done_and_never_answered(
    running: Running, client: AsyncWebClient, general: Channel, person: User
) -> None:
    running.faults.add("chat.postMessage", FaultKind.ACCEPT_AND_HANG)
    call = asyncio.create_task(client.chat_postMessage(channel=general.id, text="arrived"))
    await eventually(lambda: running.workspace.messages(general.id, person.id) or None)
    assert not call.done()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


async def test_a_connection_can_be_dropped(running: Running, client: AsyncWebClient) -> None:
    running.faults.add("auth.test", FaultKind.DROP)
    with pytest.raises(aiohttp.ClientError):
        await client.auth_test()
    running.faults.add("auth.test", FaultKind.DROP)
    client.retry_handlers = [AsyncConnectionErrorRetryHandler()]
    assert (await client.auth_test())["ok"]


async def test_a_message_can_vanish(
    running: Running, client: AsyncWebClient, general: Channel, post: Poster
) -> None:
    ts = await post()
    running.faults.delete_message("general", ts)
    gone = {"channel": general.id, "ts": ts, "text": "x"}
    assert await error_of(client, "chat.update", **gone) == "message_not_found"


async def test_the_workspace_can_be_away_and_come_back(
    running: Running, client: AsyncWebClient, socket: Socket
) -> None:
    assert (await client.auth_test())["ok"]
    await running.faults.away(3600)
    assert await socket.closed()
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.auth_test()
    # Called back twice at the same instant, as when its time is over just then.
    await asyncio.gather(running.faults.clear(), running.faults.clear())
    assert (await client.auth_test())["ok"]
    await running.faults.away(0.01)
    async with asyncio.timeout(CEILING):
        while True:
            try:
                assert (await client.auth_test())["ok"]
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.01)


async def test_faults_are_ordered_over_http_too(
    running: Running,
    client: AsyncWebClient,
    session: aiohttp.ClientSession,
    socket: Socket,
    general: Channel,
) -> None:
    url = running.url + "/faults"

    async def order(**body: object) -> int:
        async with session.post(url, json=body) as response:
            return response.status

    assert await order(do="call", method="auth.test", kind="error", error="fatal_error") == 200
    async with session.get(url) as response:
        assert (await response.json())["orders"] == [{"method": "auth.test", "kind": "error", "times": 1}]
    assert await error_of(client, "auth.test") == "fatal_error"
    assert await order(do="archive", channel="alerts") == 200
    assert await error_of(client, "chat.postMessage", channel="#alerts", text="x") == "is_archived"
    assert await order(do="unarchive", channel="alerts") == 200
    assert await order(do="remove_bot", channel="general") == 200
    assert await error_of(client, "chat.postMessage", channel="#general", text="x") == "not_in_channel"
    assert await order(do="invite_bot", channel="general") == 200
    posted = await client.chat_postMessage(channel="#general", text="x")
    assert await order(do="delete_message", channel=general.id, ts=posted["ts"]) == 200
    assert await order(do="delete_message", channel=general.id, ts=posted["ts"]) == 400
    assert await order(do="duplicate", envelopes=2) == 200
    assert await order(do="revoke", which="bot") == 200
    assert await error_of(client, "auth.test") == "token_revoked"
    assert await order(do="unrevoke", which="bot") == 200
    assert await order(do="call", method="*", kind="http", seconds=3600) == 200
    async with session.delete(url) as response:
        assert (await response.json())["orders"] == []
    assert (await client.auth_test())["ok"]
    assert await order(do="disconnect", reason="link_disabled") == 200
    assert await order(do="nonsense") == 400
    assert await order(do="call", kind="error", times=0) == 400
    assert await order(do="away", seconds=3600) == 200
    await eventually(lambda: socket.socket is not None)
    await running.faults.clear()


@pytest.mark.parametrize(
    ("body", "named"),
    [("{}", "do"), ("no json", "JSON"), ('{"do": "nothing"}', "nothing"), ('{"do": "away"}', "seconds")],
)
async def test_an_order_that_is_none_is_refused_with_a_reason(
    running: Running, session: aiohttp.ClientSession, body: str, named: str
) -> None:
    headers = {"Content-Type": "application/json"}
    async with session.post(running.url + "/faults", data=body, headers=headers) as response:
        assert response.status == 400
        error = (await response.json())["error"]
    assert named in error
    assert error[0].isalnum()
