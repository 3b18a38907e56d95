"""Files: asked for, sent, shared; by apps and by people."""

from __future__ import annotations

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.model import Channel, User
from bot.workspace.server import Running
from tests.workspace.harness import Socket, error_of, event_of

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


async def test_an_upload_has_three_steps(
    running: Running,
    client: AsyncWebClient,
    session: aiohttp.ClientSession,
    general: Channel,
    person: User,
) -> None:
    asked = await client.files_getUploadURLExternal(filename="chart.png", length=len(PICTURE))
    early = {"files": [{"id": asked["file_id"]}], "channel_id": general.id}
    assert await error_of(client, "files.completeUploadExternal", **early) == "file_update_failed"
    async with session.post(asked["upload_url"], data=PICTURE[:-1]) as response:
        assert response.status == 400
    async with session.post(asked["upload_url"], data=PICTURE) as response:
        assert (response.status, await response.text()) == (200, f"OK - {len(PICTURE)}")
    done = await client.files_completeUploadExternal(
        files=[{"id": asked["file_id"], "title": "그래프"}],
        channel_id=general.id,
        initial_comment="지난 시간",
    )
    assert done["files"][0]["title"] == "그래프" and done["files"][0]["mimetype"] == "image/png"
    message = running.workspace.messages(general.id, person.id)[-1]
    assert message.text == "지난 시간" and message.files == (asked["file_id"],)
    assert running.workspace.file_path(asked["file_id"]).read_bytes() == PICTURE
    async with session.post(asked["upload_url"], data=PICTURE) as response:
        assert response.status == 404  # a file that was shared is not written again


async def test_the_sdks_own_upload_works(
    running: Running, client: AsyncWebClient, general: Channel, person: User
) -> None:
    parent = await client.chat_postMessage(channel=general.id, text="parent")
    done = await client.files_upload_v2(
        channel=general.id, thread_ts=parent["ts"], filename="a.log", content="한 줄\n", title="Log"
    )
    info = await client.files_info(file=done["file"]["id"])
    assert info["file"]["size"] == len("한 줄\n".encode()) and info["file"]["mimetype"] == "text/plain"
    thread = running.workspace.messages(general.id, person.id, thread_ts=parent["ts"])
    assert thread[-1].files == (done["file"]["id"],)
    assert await error_of(client, "files.info", file="F0NOTHING") == "file_not_found"


async def test_an_app_reads_a_persons_file(
    running: Running,
    client: AsyncWebClient,
    session: aiohttp.ClientSession,
    socket: Socket,
    person: User,
    general: Channel,
) -> None:
    message = await running.workspace.upload_as_user(
        person.id, general.id, "../../etc/notes.txt", b"hello", text="look"
    )
    frames = []
    for _ in range(2):
        frames.append(await socket.next())
        await socket.ack(frames[-1])
    events = {str(event_of(frame)["type"]): event_of(frame) for frame in frames}
    assert events["file_shared"]["file_id"] == message.files[0]
    info = (await client.files_info(file=message.files[0]))["file"]
    assert info["name"] == "notes.txt"
    async with session.get(info["url_private"]) as response:
        assert response.status == 403
    headers = {"Authorization": f"Bearer {running.bot_token}"}
    async with session.get(info["url_private"], headers=headers) as response:
        assert (response.status, await response.read()) == (200, b"hello")
