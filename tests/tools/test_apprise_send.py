"""Sending by Apprise: a child process that gets everything on standard input and takes it along."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import psutil
import pytest
from pydantic import SecretStr

from bot.tools.apprise_send import AppriseFailed, send_by_apprise
from bot.tools.apprise_worker import masked
from tests.inbox import Inbox, open_inbox
from tests.waiting import eventually


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """Where the messages arrive."""
    async with open_inbox() as inbox:
        yield inbox


async def test_a_message_arrives(inbox: Inbox) -> None:
    await send_by_apprise(inbox.url, "🔥 긴급: CPU 사용률 91%", "대상: web-1\n<b>&")
    assert inbox.titles == ["🔥 긴급: CPU 사용률 91%"]
    assert inbox.texts == ["대상: web-1\n<b>&"]


@pytest.mark.parametrize("url", ["nonsense://x", "", "json://", "::::", "file:///etc/passwd"])
async def test_an_address_that_is_none_is_said_to_be_one(url: str) -> None:
    with pytest.raises(AppriseFailed) as failed:
        await send_by_apprise(SecretStr(url), "t", "b")
    assert failed.value.code == "bad_url"


async def test_a_refusal_is_told_without_anything_of_the_address(inbox: Inbox) -> None:
    inbox.status = 500
    with pytest.raises(AppriseFailed) as failed:
        await send_by_apprise(inbox.url, "t", "b")
    assert failed.value.code == "refused"
    assert "500" in failed.value.detail
    for secret in ("geheim123", "hansol", "pfad-geheim", "127.0.0.1"):
        assert secret not in str(failed.value)


def test_masking_leaves_no_part_of_the_address() -> None:
    said = masked(
        "failed for tok3n-abcd at mail.example.com (535)", "mailto://kim:tok3n-abcd@mail.example.com"
    )
    assert said == "failed for … at … (535)"


async def test_one_that_takes_too_long_is_ended(inbox: Inbox) -> None:
    inbox.silent = True
    with pytest.raises(AppriseFailed) as failed:
        await send_by_apprise(inbox.url, "t", "b", seconds=3)
    assert failed.value.code == "timeout"
    assert not children()


def children() -> list[psutil.Process]:
    """Workers of ours that run."""
    found = []
    for child in psutil.Process().children():
        try:
            if "bot.tools.apprise_worker" in child.cmdline():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


async def test_the_address_is_no_argument_and_not_in_the_environment(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARDIAN_APPRISE_SMS", inbox.url.get_secret_value())
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-geheim")
    inbox.silent = True
    sending = asyncio.create_task(send_by_apprise(inbox.url, "t", "b"))
    [child] = await eventually(children)
    assert "geheim" not in " ".join(child.cmdline())
    assert "geheim" not in str(await eventually(child.environ))
    inbox.released.set()
    await sending
    assert not children()


async def test_whoever_stops_waiting_leaves_no_child(inbox: Inbox) -> None:
    inbox.silent = True
    sending = asyncio.create_task(send_by_apprise(inbox.url, "t", "b"))
    await eventually(children)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert not children()


def test_the_guardian_itself_never_loads_apprise() -> None:
    code = "import sys, bot.runtime, bot.cli, bot.engine.couriers; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
