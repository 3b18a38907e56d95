"""The trial's Slack: a program beside the Guardian, reached like the real one."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from bot.slack.connection import check_tokens, slack_session, web_client
from bot.slack.manifest import manifest_yaml
from bot.trial.local_slack import LocalSlackRefused, start_local_slack
from tests.ports import free_port

CHANNELS = ("guardian-alerts", "guardian-ops", "general")


async def test_it_takes_the_tokens_that_it_gives_and_keeps_them(tmp_path: Path) -> None:
    port = free_port()
    tokens = set()
    for _ in range(2):
        local = await start_local_slack(tmp_path / "slack", port, manifest_yaml(), CHANNELS)
        try:
            tokens.add((local.bot_token, local.app_token, local.signing_secret))
            async with slack_session() as session:
                client = web_client(local.bot_token, local.api_url, session)
                assert await check_tokens(client, local.app_token) is not None
                found = await client.conversations_list(types="public_channel")
                channels: list[dict[str, object]] = found["channels"]
                assert {channel["name"] for channel in channels} == set(CHANNELS)
                async with session.get(local.url) as page:
                    assert page.status == 200
        finally:
            await local.child.stop()
    assert len(tokens) == 1, "a restart keeps the app"


async def test_a_taken_port_says_so(tmp_path: Path) -> None:
    port = free_port()
    local = await start_local_slack(tmp_path / "one", port, manifest_yaml(), CHANNELS)
    try:
        with pytest.raises(LocalSlackRefused) as refused:
            await start_local_slack(tmp_path / "two", port, manifest_yaml(), CHANNELS)
        assert (refused.value.code, refused.value.details["port"]) == ("port_in_use", port)
        assert str(port) in refused.value.said
    finally:
        await local.child.stop()


async def test_a_second_one_on_the_same_state_says_so(tmp_path: Path) -> None:
    local = await start_local_slack(tmp_path, free_port(), manifest_yaml(), CHANNELS)
    try:
        with pytest.raises(LocalSlackRefused, match="Another workspace is running") as refused:
            await start_local_slack(tmp_path, free_port(), manifest_yaml(), CHANNELS)
        assert refused.value.code == "state_in_use"
    finally:
        await local.child.stop()


async def test_it_is_away_when_it_was_stopped(tmp_path: Path) -> None:
    local = await start_local_slack(tmp_path, free_port(), manifest_yaml(language="en"), CHANNELS)
    await local.child.stop()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(local.url)
