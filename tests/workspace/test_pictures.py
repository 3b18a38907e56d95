"""Pictures in blocks: only complete images that the app may see, and not before Slack has looked at them."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from pydantic import JsonValue
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.model import Channel, User
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED, Timings
from tests.workspace.conftest import Poster
from tests.workspace.harness import eventually, manifest, refusal_of

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A workspace that has looked a file through at once."""
    async with serve(
        tmp_path,
        manifest=manifest(),
        channels=["general", "alerts"],
        rate_limits=UNLIMITED,
        timings=Timings(file_processing=0.0),
    ) as server:
        yield server


async def uploaded(
    client: AsyncWebClient, session: aiohttp.ClientSession, name: str = "chart.png", *, complete: bool = True
) -> str:
    """A file of the app; its id."""
    asked = await client.files_getUploadURLExternal(filename=name, length=len(DOT))
    async with session.post(asked["upload_url"], data=DOT) as answer:
        assert answer.status == 200
    if complete:
        await client.files_completeUploadExternal(files=[{"id": asked["file_id"], "title": "t"}])
    return str(asked["file_id"])


def image(**source: JsonValue) -> dict[str, JsonValue]:
    return {"type": "image", "alt_text": "그래프", "slack_file": dict(source)}


async def test_an_own_picture_is_taken_in_a_post_and_in_an_edit(
    running: Running,
    client: AsyncWebClient,
    session: aiohttp.ClientSession,
    post: Poster,
    general: Channel,
    person: User,
) -> None:
    file_id = await uploaded(client, session)
    ts = await post(attachments=[{"color": "#d32f2f", "blocks": [image(id=file_id)]}])
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "accessory": image(id=file_id)}
    small = {"type": "context", "elements": [image(id=file_id)]}
    await client.chat_update(channel=general.id, ts=ts, text="t", blocks=[image(id=file_id), section, small])
    address = f"{running.url}/files-pri/{file_id}/chart.png"
    await client.chat_update(channel=general.id, ts=ts, text="t", blocks=[image(url=address)])
    (shown,) = running.workspace.messages(general.id, person.id)
    assert shown.blocks[0]["slack_file"] == {"url": address}


@pytest.mark.parametrize("where", ["blocks", "attachments"])
async def test_a_file_that_is_not_there_not_complete_or_no_picture_is_refused(
    client: AsyncWebClient, session: aiohttp.ClientSession, general: Channel, where: str
) -> None:
    half = await uploaded(client, session, complete=False)
    text = await uploaded(client, session, "notes.txt")
    drawing = await uploaded(client, session, "chart.svg")
    for file_id in (half, text, drawing, "F0NOTHING00"):
        blocks: list[JsonValue] = [{"type": "divider"}, image(id=file_id)]
        content: dict[str, JsonValue] = (
            {"blocks": blocks} if where == "blocks" else {"attachments": [{"blocks": blocks}]}
        )
        refused = await refusal_of(client, "chat.postMessage", channel=general.id, text="t", **content)
        place = "/blocks/1" if where == "blocks" else "/attachments/0/blocks/1"
        assert refused.response["error"] == f"invalid_{where}"
        assert refused.response["errors"] == [f"invalid slack file [json-pointer:{place}/slack_file]"]


async def test_a_persons_file_is_the_apps_to_show_only_where_both_are(
    running: Running, client: AsyncWebClient, general: Channel, person: User
) -> None:
    shared = await running.workspace.upload_as_user(person.id, general.id, "a.png", DOT)
    await client.chat_postMessage(channel=general.id, text="t", blocks=[image(id=shared.files[0])])
    private = await running.workspace.upload_for_form(person.id, "b.png", DOT)
    refused = await refusal_of(
        client, "chat.postMessage", channel=general.id, text="t", blocks=[image(id=str(private["id"]))]
    )
    assert refused.response["error"] == "invalid_blocks"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ({"id": "chart"}, "input must match regex pattern: ^[F][A-Z0-9]{8,}$"),
        ({}, "must provide exactly one of: id, url"),
        ({"id": "F0123456789", "url": "https://x.example.com/a.png"}, "must provide exactly one of: id, url"),
        ({"name": "F0123456789"}, "invalid additional property: name"),
    ],
)
async def test_a_malformed_name_of_a_file_is_refused(
    client: AsyncWebClient, general: Channel, source: dict[str, JsonValue], complaint: str
) -> None:
    refused = await refusal_of(
        client, "chat.postMessage", channel=general.id, text="t", blocks=[image(**source)]
    )
    assert refused.response["error"] == "invalid_blocks"
    assert complaint in str(refused.response["errors"])


async def test_a_home_tab_keeps_to_the_same_rule(
    client: AsyncWebClient, session: aiohttp.ClientSession, person: User
) -> None:
    file_id = await uploaded(client, session)
    await client.views_publish(user_id=person.id, view={"type": "home", "blocks": [image(id=file_id)]})
    view = {"type": "home", "blocks": [image(id="F0NOTHING00")]}
    refused = await refusal_of(client, "views.publish", user_id=person.id, view=view)
    assert refused.response["error"] == "invalid_arguments"


async def test_a_new_file_is_looked_through_first(tmp_path: Path) -> None:
    async with (
        serve(tmp_path / "slow", manifest=manifest(), timings=Timings(file_processing=0.3)) as running,
        aiohttp.ClientSession() as session,
    ):
        client = AsyncWebClient(running.bot_token, base_url=running.api_url)
        channel = running.workspace.channel_named("general").id
        file_id = await uploaded(client, session)
        message = {"channel": channel, "text": "t", "blocks": [image(id=file_id)]}
        refused = await refusal_of(client, "chat.postMessage", **message)
        assert "invalid slack file" in str(refused.response["errors"])
        ready = running.workspace.book.files[file_id].ready_at
        await eventually(lambda: time.time() > ready)
        assert (await client.api_call("chat.postMessage", json=message))["ok"]


async def test_a_description_for_those_who_cannot_see_it_has_an_end(client: AsyncWebClient) -> None:
    refused = await refusal_of(
        client, "files.getUploadURLExternal", filename="a.png", length=1, alt_txt="가" * 1001
    )
    assert refused.response["error"] == "alt_txt_too_large"
