"""Halves of surrogate pairs, wherever they come from: nothing can store or send them."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from pydantic import JsonValue

from bot.workspace.model import Channel, User
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED
from bot.workspace.texts import parse_json, whole
from tests.workspace.harness import manifest

MARK = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (r'{"a": "\ud800"}', {"a": MARK}),
        (r'["x\udc00y", {"\uDBFF": [1.5, null]}]', [f"x{MARK}y", {MARK: [1.5, None]}]),
        (r'"\ud83d\ude42"', "🙂"),
        (r'"\\ud800"', r"\ud800"),
        ('"수호자"', "수호자"),
        ('"\ud800"', MARK),
        ('"수호자"'.encode(), "수호자"),
    ],
)
def test_json_has_whole_characters(raw: str | bytes, value: JsonValue) -> None:
    assert parse_json(raw) == value


def test_bytes_that_are_no_text_are_no_json() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        parse_json(b'"\xed\xa0\x80"')
    assert whole("\ud800 and \udfff") == f"{MARK} and {MARK}"


async def test_a_half_pair_in_a_call_ends_nothing(tmp_path: Path) -> None:
    """It is stored as the mark of a lost character, and so is all that comes after it."""
    bodies: list[tuple[str, str]] = [
        ("application/json", r'{"channel": "#general", "text": "one \ud800"}'),
        (
            "application/x-www-form-urlencoded",
            r'channel=%23general&blocks=[{"type":"divider","block_id":"\udfff"}]',
        ),
        ("application/x-www-form-urlencoded; charset=utf-7", "channel=+ACM-general&text=three +2AA-"),
    ]
    async with serve(tmp_path, manifest=manifest(), channels=["general"], rate_limits=UNLIMITED) as running:
        headers = {"Authorization": f"Bearer {running.bot_token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for kind, body in bodies:
                async with session.post(
                    running.api_url + "chat.postMessage", data=body.encode(), headers={"Content-Type": kind}
                ) as answer:
                    assert (await answer.json())["ok"], body
    async with serve(tmp_path, manifest=manifest(), channels=["general"], rate_limits=UNLIMITED) as running:
        general = running.workspace.channel_named("general")
        person = running.workspace.users()[0]
        kept = running.workspace.messages(general.id, person.id)
    assert [message.text for message in kept] == [f"one {MARK}", "", f"three {MARK}"]
    assert kept[1].blocks[0]["block_id"] == MARK


async def test_a_half_pair_typed_into_the_page_ends_nothing(
    running: Running, general: Channel, person: User
) -> None:
    address = f"{running.url}/page/{person.id}/send"
    body = f"channel={general.id}&text=typed +2AA-"
    kind = "application/x-www-form-urlencoded; charset=utf-7"
    headers = {"Origin": running.url, "Content-Type": kind}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(address, data=body.encode()) as answer:
            assert answer.status == 200
    assert running.workspace.messages(general.id, person.id)[-1].text == f"typed {MARK}"
