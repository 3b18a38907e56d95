"""Trigger ids and response URLs: how long, how often, and what they do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.workspace.model import Channel, JsonObject, User
from bot.workspace.server import Running, serve
from bot.workspace.settings import Timings
from tests.workspace.harness import Socket, error_of, manifest, modal, payload_of


async def command(running: Running, socket: Socket, person: User, channel: Channel) -> JsonObject:
    """The payload of a command that was acknowledged."""
    task = asyncio.create_task(running.workspace.run_command(person.id, channel.id, "/probe"))
    frame = await socket.next()
    await socket.ack(frame)
    assert (await task).error is None
    return payload_of(frame)


async def test_a_trigger_id_is_for_one_use(
    running: Running, client: AsyncWebClient, socket: Socket, person: User, general: Channel
) -> None:
    trigger = str((await command(running, socket, person, general))["trigger_id"])
    await client.views_open(trigger_id=trigger, view=modal())
    again = await error_of(client, "views.open", trigger_id=trigger, view=modal())
    assert again == "exchanged_trigger_id"
    unknown = await error_of(client, "views.open", trigger_id="1.2.3", view=modal())
    assert unknown == "invalid_trigger_id"


async def test_a_trigger_id_expires(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest(), timings=Timings(trigger=-1.0)) as running:
        client = AsyncWebClient(running.bot_token, base_url=running.api_url)
        trigger = running.workspace.tickets.trigger(running.app.id, running.workspace.users()[0].id)
        late = await error_of(client, "views.open", trigger_id=trigger, view=modal())
        assert late == "expired_trigger_id"


async def test_a_trigger_id_is_for_the_app_that_got_it(tmp_path: Path) -> None:
    both = [manifest(), manifest(name="Other")]
    async with serve(tmp_path, manifest=both) as running:
        mine, other = running.workspace.apps()
        trigger = running.workspace.tickets.trigger(mine.id, running.workspace.users()[0].id)
        token = running.workspace.book.credentials[other.id].bot_token
        client = AsyncWebClient(token, base_url=running.api_url)
        stolen = await error_of(client, "views.open", trigger_id=trigger, view=modal())
        assert stolen == "invalid_trigger_id"


async def test_a_response_url_is_for_five_uses(
    running: Running, socket: Socket, person: User, general: Channel, other: User
) -> None:
    hook = AsyncWebhookClient(str((await command(running, socket, person, general))["response_url"]))
    for number in range(5):
        answer = await hook.send(text=str(number))
        assert (answer.status_code, answer.body) == (200, "ok")
    sixth = await hook.send(text="6")
    assert sixth.status_code == 404 and "used_url" in sixth.body
    assert [m.text for m in running.workspace.messages(general.id, person.id)] == list("01234")
    assert running.workspace.messages(general.id, other.id) == []


async def test_a_response_url_expires(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest(), timings=Timings(response_url=-1.0)) as running:
        person, channel = running.workspace.users()[0], running.workspace.channel_named("general")
        secret = running.workspace.tickets.response(running.app.id, person.id, channel.id)
        hook = AsyncWebhookClient(f"{running.url}/actions/{running.workspace.book.team.id}/{secret}")
        late = await hook.send(text="late")
        assert late.status_code == 404 and "expired_url" in late.body
        assert running.workspace.messages(channel.id, person.id) == []


async def test_a_response_can_be_for_everyone(
    running: Running, socket: Socket, person: User, general: Channel, other: User
) -> None:
    hook = AsyncWebhookClient(str((await command(running, socket, person, general))["response_url"]))
    await hook.send(text="all", response_type="in_channel")
    assert [m.text for m in running.workspace.messages(general.id, other.id)] == ["all"]


async def test_a_response_can_replace_or_delete_what_was_clicked(
    running: Running, person: User, general: Channel, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel=general.id, text="original")
    book = running.workspace.book

    def hook(ts: str) -> AsyncWebhookClient:
        tickets = running.workspace.tickets
        secret = tickets.response(running.app.id, person.id, general.id, None, ts)
        return AsyncWebhookClient(f"{running.url}/actions/{book.team.id}/{secret}")

    await hook(posted["ts"]).send(text="new", replace_original=True)
    replaced = book.message(general.id, posted["ts"])
    assert replaced is not None and replaced.text == "new"
    await hook(posted["ts"]).send(delete_original=True)
    assert book.message(general.id, posted["ts"]) is None


async def test_a_response_has_the_limits_of_a_message(
    running: Running, socket: Socket, person: User, general: Channel, session: aiohttp.ClientSession
) -> None:
    url = str((await command(running, socket, person, general))["response_url"])
    hook = AsyncWebhookClient(url)
    bad = await hook.send(text="x", blocks=[{"type": "divider"}] * 51)
    assert bad.status_code == 400 and "invalid_blocks" in bad.body
    assert "no_text" in (await hook.send(text="")).body
    async with session.post(url, data=b"nonsense") as response:
        assert response.status == 400 and (await response.json())["error"] == "invalid_payload"
    assert (await AsyncWebhookClient(url[:-3] + "xyz").send(text="x")).status_code == 404
