"""What each of Slack's errors means for whoever sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.engine.delivery import Ambiguous, Blocked, CardGone, DeliveryFailed, Permanent, Temporary
from bot.slack.connection import TokenRefused, check_tokens, slack_session, web_client
from bot.slack.failures import delivery_failures
from bot.workspace.faults import FaultKind
from bot.workspace.server import Running
from tests.people import ALERTS
from tests.ports import free_port


@pytest.fixture
async def client(slack: Running) -> AsyncIterator[AsyncWebClient]:
    """The Guardian's own client."""
    async with aiohttp.ClientSession() as session:
        yield web_client(slack.bot_token, slack.api_url, session)


async def failure(client: AsyncWebClient) -> DeliveryFailed:
    """How a post fails."""
    try:
        with delivery_failures():
            await client.chat_postMessage(channel="C0000000", text="hello")
    except DeliveryFailed as failed:
        return failed
    raise AssertionError("the post was taken")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_auth", Blocked),
        ("token_revoked", Blocked),
        ("account_inactive", Blocked),
        ("channel_not_found", Blocked),
        ("not_in_channel", Blocked),
        ("is_archived", Blocked),
        ("missing_scope", Blocked),
        ("internal_error", Temporary),
        ("service_unavailable", Temporary),
        ("ratelimited", Temporary),
        ("message_not_found", CardGone),
        ("cant_update_message", CardGone),
        ("edit_window_closed", CardGone),
        ("thread_not_found", CardGone),
        ("invalid_blocks", Permanent),
        ("msg_too_long", Permanent),
        ("no_text", Permanent),
        ("something_new", Permanent),
    ],
)
async def test_each_error_has_its_kind(
    slack: Running, client: AsyncWebClient, code: str, kind: type[DeliveryFailed]
) -> None:
    slack.faults.add("chat.postMessage", FaultKind.ERROR, error=code)
    failed = await failure(client)
    assert type(failed) is kind
    assert failed.detail == code


async def test_a_429_carries_its_retry_after(slack: Running, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", FaultKind.RATE_LIMITED, retry_after=17)
    failed = await failure(client)
    assert isinstance(failed, Temporary)
    assert failed.retry_after == 17


@pytest.mark.parametrize("status", [500, 502, 503, 404])
async def test_an_answer_that_is_not_slacks_own_says_nothing_about_the_message(
    slack: Running, client: AsyncWebClient, status: int
) -> None:
    slack.faults.add("chat.postMessage", FaultKind.HTTP, status=status)
    assert isinstance(await failure(client), Ambiguous)


async def test_a_cut_connection_says_nothing_about_the_message(
    slack: Running, client: AsyncWebClient
) -> None:
    slack.faults.add("chat.postMessage", FaultKind.DROP)
    assert isinstance(await failure(client), Ambiguous)


async def test_no_answer_in_time_says_nothing_about_the_message(slack: Running) -> None:
    slack.faults.add("chat.postMessage", FaultKind.HANG)
    async with slack_session() as session:
        assert session.timeout.total == 10, "a hanging call holds up its letter, and at the end everybody"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as session:
        client = web_client(slack.bot_token, slack.api_url, session)
        assert isinstance(await failure(client), Ambiguous)
    await slack.faults.clear()


async def test_where_nobody_listens_nothing_can_have_arrived() -> None:
    async with aiohttp.ClientSession() as session:
        client = web_client("xoxb-1", f"http://127.0.0.1:{free_port()}/api/", session)
        failed = await failure(client)
    assert type(failed) is Temporary
    assert failed.detail.startswith("unreachable")


async def test_right_tokens_bring_the_address_of_a_connection(slack: Running, client: AsyncWebClient) -> None:
    address = await check_tokens(client, slack.app_token)
    assert address is not None and address.startswith("ws://127.0.0.1")
    assert await check_tokens(client, None) is None


@pytest.mark.parametrize("which", ["bot", "app"])
async def test_a_revoked_token_is_named(slack: Running, client: AsyncWebClient, which: str) -> None:
    slack.faults.revoke(which)
    with pytest.raises(TokenRefused) as refused:
        await check_tokens(client, slack.app_token)
    assert refused.value.which == f"SLACK_{which.upper()}_TOKEN"
    assert refused.value.code == "token_revoked"


async def test_tokens_put_in_each_others_place_are_refused(slack: Running) -> None:
    async with aiohttp.ClientSession() as session:
        client = web_client(slack.app_token, slack.api_url, session)
        with pytest.raises(TokenRefused):
            await check_tokens(client, slack.bot_token)


@pytest.mark.parametrize("kind", [FaultKind.HTTP, FaultKind.RATE_LIMITED, FaultKind.DROP])
async def test_a_slack_that_cannot_say_now_is_no_refusal(
    slack: Running, client: AsyncWebClient, kind: FaultKind
) -> None:
    slack.faults.add("auth.test", kind)
    assert await check_tokens(client, slack.app_token) is None


async def test_the_client_tries_nothing_again_by_itself(slack: Running, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", FaultKind.RATE_LIMITED, times=2, retry_after=1)
    async with asyncio.timeout(30):
        await failure(client)
    assert len(slack.faults.orders) == 1
    assert slack.workspace.channel_named(ALERTS)
