"""Uploading a picture over HTTP, before a real workspace."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import aiohttp
import pytest

from bot.engine.delivery import Ambiguous, Blocked, Temporary
from bot.slack.connection import web_client
from bot.slack.files import is_shared, share, upload
from bot.slack.manifest import manifest
from bot.workspace.faults import FaultKind
from bot.workspace.server import Running, serve
from messages import blocks
from tests.people import ALERTS
from tests.waiting import eventually

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 60


@pytest.mark.parametrize("shared_session", [True, False])
async def test_what_was_uploaded_can_be_shown(slack: Running, shared_session: bool) -> None:
    async with aiohttp.ClientSession() as session:
        client = web_client(slack.bot_token, slack.api_url, session if shared_session else None)
        file_id = await upload(client, PNG, "alert-7.png", "CPU 사용률 <x>", "그래프" * 1000)
        file = slack.workspace.book.files[file_id]
        assert (file.title, file.mimetype, file.channels, file.complete) == (
            "CPU 사용률 <x>",
            "image/png",
            (),
            True,
        )
        assert slack.workspace.file_path(file_id).read_bytes() == PNG
        await eventually(lambda: time.time() > file.ready_at)
        channel = slack.workspace.channel_named(ALERTS).id
        card = blocks.attachment("critical", [blocks.image("chart", file_id, "그래프")], "x")
        await client.chat_postMessage(channel=channel, text="x", attachments=[blocks.as_json(card)])


async def test_without_the_scope_it_is_blocked(tmp_path: Path) -> None:
    few = manifest()
    few["oauth_config"] = {"scopes": {"bot": ["chat:write", "commands"]}}
    async with serve(tmp_path, manifest=few) as running:
        client = web_client(running.bot_token, running.api_url, None)
        with pytest.raises(Blocked, match="missing_scope"):
            await upload(client, PNG, "a.png", "t", "alt")


async def test_too_many_calls_are_temporary_and_say_for_how_long(slack: Running) -> None:
    slack.faults.add("files.getUploadURLExternal", FaultKind.RATE_LIMITED, retry_after=7)
    client = web_client(slack.bot_token, slack.api_url, None)
    with pytest.raises(Temporary) as failed:
        await upload(client, PNG, "a.png", "t", "alt")
    assert failed.value.retry_after == 7


async def test_a_broken_answer_is_ambiguous(slack: Running) -> None:
    slack.faults.add("files.completeUploadExternal", FaultKind.HTTP)
    client = web_client(slack.bot_token, slack.api_url, None)
    with pytest.raises(Ambiguous):
        await upload(client, PNG, "a.png", "t", "alt")


async def test_a_file_of_a_path_is_sent_without_being_read_whole(slack: Running, tmp_path: Path) -> None:
    client = web_client(slack.bot_token, slack.api_url, None)
    channel = slack.workspace.channel_named(ALERTS).id
    card = await client.chat_postMessage(channel=channel, text="a plan")
    line = b"/var/log/shop/old.log\t1\t2\t3\t4\n"
    for name, content in (("logs.txt", line * 30_000), ("none.txt", b"")):
        path = tmp_path / name
        path.write_bytes(content)
        tracemalloc.start()
        await share(client, path, name, name, channel, str(card["ts"]))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        (file,) = [each for each in slack.workspace.book.files.values() if each.title == name]
        assert slack.workspace.file_path(file.id).read_bytes() == (content or b"\n")
        assert file.channels == (channel,)
        assert most < 3_000_000  # the workspace in this process takes a part of it, too
    with pytest.raises(FileNotFoundError):
        await share(client, tmp_path / "gone.txt", "gone.txt", "gone", channel, str(card["ts"]))


async def test_a_file_is_found_in_the_thread_that_has_it_and_in_no_other(slack: Running) -> None:
    client = web_client(slack.bot_token, slack.api_url, None)
    channel = slack.workspace.channel_named(ALERTS).id
    card, other = [str((await client.chat_postMessage(channel=channel, text="a plan"))["ts"]) for _ in "12"]
    assert not await is_shared(client, "logs.txt", channel, card)
    await share(client, b"a line\n", "logs.txt", "logs.txt", channel, card)
    assert await is_shared(client, "logs.txt", channel, card)
    assert not await is_shared(client, "caches.txt", channel, card)
    assert not await is_shared(client, "logs.txt", channel, other)
    assert not await is_shared(client, "logs.txt", channel, "1.000001"), "there is no such thread"
    slack.faults.add("conversations.replies", FaultKind.RATE_LIMITED, retry_after=7)
    with pytest.raises(Temporary):
        await is_shared(client, "logs.txt", channel, card)
