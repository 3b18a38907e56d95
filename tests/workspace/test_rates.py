"""How often methods may be called, and what comes beyond."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.ids import now
from bot.workspace.server import Running, serve
from bot.workspace.settings import RateLimits
from tests.workspace.harness import error_of, eventually, manifest, refusal_of


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Running]:
    """A workspace with Slack's own limits."""
    async with serve(tmp_path, manifest=manifest(), channels=["general", "alerts"]) as server:
        yield server


@pytest.fixture
def client(limited: Running) -> AsyncWebClient:
    """The app's client there."""
    return AsyncWebClient(limited.bot_token, base_url=limited.api_url)


def test_the_figures_are_slacks() -> None:
    limits = RateLimits()
    assert limits.posts_per_second == 1.0
    assert limits.tiers == {1: 1, 2: 20, 3: 50, 4: 100}
    assert limits.scheduled_per_window == 30


async def test_a_channel_takes_a_short_burst_and_then_one_message_a_second(
    limited: Running, client: AsyncWebClient
) -> None:
    burst = limited.workspace.limiter.limits.post_burst
    began = time.monotonic()
    refused, taken = None, 0
    while refused is None and taken < 10 * burst:
        try:
            await client.chat_postMessage(channel="#general", text="x")
            taken += 1
        except SlackApiError as error:
            refused = error
    assert refused is not None
    # on a slow machine a few more fit in, one for each second that went by
    assert burst <= taken <= burst + (time.monotonic() - began)
    assert refused.response.status_code == 429
    assert refused.response["error"] == "ratelimited"
    assert refused.response.headers["Retry-After"] == "1"
    # another channel has a bucket of its own
    await client.chat_postMessage(channel="#alerts", text="x")


async def test_edits_have_the_third_tier(limited: Running, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="#general", text="x")
    began = time.monotonic()
    refused = None
    for taken in range(200):
        try:
            await client.chat_update(channel=posted["channel"], ts=posted["ts"], text=str(taken))
        except SlackApiError as error:
            refused = error
            break
    assert refused is not None and refused.response.status_code == 429
    assert 50 <= taken <= 50 + (time.monotonic() - began) * 50 / 60
    assert int(refused.response.headers["Retry-After"]) >= 1


async def test_a_caller_who_wants_no_limits_has_none(client: AsyncWebClient, tmp_path: Path) -> None:
    limits = RateLimits().unlimited()
    async with serve(tmp_path / "other", manifest=manifest(), rate_limits=limits) as running:
        free = AsyncWebClient(running.bot_token, base_url=running.api_url)
        for number in range(120):
            await free.chat_postMessage(channel="#general", text=str(number))


async def test_messages_can_be_planned_120_days_ahead(limited: Running, client: AsyncWebClient) -> None:
    channel = limited.workspace.channel_named("general").id

    async def refused(post_at: float) -> str:
        where = {"channel": channel, "text": "x", "post_at": int(post_at)}
        return await error_of(client, "chat.scheduleMessage", **where)

    day = 86400
    planned = await client.chat_scheduleMessage(
        channel=channel, text="x", post_at=int(now()) + 120 * day - 60
    )
    assert await refused(now() + 120 * day + 60) == "time_too_far"
    assert await refused(now() - 60) == "time_in_past"
    scheduled = planned["scheduled_message_id"]
    await client.chat_deleteScheduledMessage(channel=channel, scheduled_message_id=scheduled)
    where = {"channel": channel, "scheduled_message_id": scheduled}
    assert await error_of(client, "chat.deleteScheduledMessage", **where) == "invalid_scheduled_message_id"


async def test_thirty_messages_can_be_planned_in_five_minutes(
    limited: Running, client: AsyncWebClient
) -> None:
    post_at = int(now()) + 3600
    for _ in range(30):
        await client.chat_scheduleMessage(channel="#general", text="x", post_at=post_at)
    refused = await refusal_of(client, "chat.scheduleMessage", channel="#general", text="x", post_at=post_at)
    assert refused.response["error"] == "restricted_too_many"
    await client.chat_scheduleMessage(channel="#alerts", text="x", post_at=post_at)
    planned = await client.chat_scheduledMessages_list()
    assert len(planned["scheduled_messages"]) == 31


async def test_a_planned_message_is_posted_in_its_time(limited: Running, client: AsyncWebClient) -> None:
    channel = limited.workspace.channel_named("general")
    person = limited.workspace.users()[0]
    await client.chat_scheduleMessage(channel=channel.id, text="later", post_at=int(now()) + 1)
    messages = await eventually(lambda: limited.workspace.messages(channel.id, person.id) or None)
    assert [m.text for m in messages] == ["later"]
    assert not limited.workspace.book.scheduled
