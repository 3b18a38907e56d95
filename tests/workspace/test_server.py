"""Starting, stopping, starting again: as a library and as `python -m bot.workspace`."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
from pathlib import Path

import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.errors import WorkspaceError
from bot.workspace.server import serve
from bot.workspace.settings import UNLIMITED
from tests.workspace.harness import CEILING, actions, button, manifest


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest(), rate_limits=UNLIMITED) as running:
        before = running
        client = AsyncWebClient(running.bot_token, base_url=running.api_url)
        person = running.workspace.users()[0]
        channel = running.workspace.channel_named("general")
        metadata = {"event_type": "letter", "event_payload": {"id": 1}}
        posted = await client.chat_postMessage(
            channel=channel.id, text="수호자", blocks=[actions(button())], metadata=metadata
        )
        await client.chat_postMessage(channel=channel.id, text="reply", thread_ts=posted["ts"])
        deleted = await client.chat_postMessage(channel=channel.id, text="deleted")
        await client.chat_delete(channel=channel.id, ts=deleted["ts"])
        await client.reactions_add(channel=channel.id, timestamp=posted["ts"], name="eyes")
        await running.workspace.upload_as_user(person.id, channel.id, "a.txt", b"hello")
        home = {"type": "home", "blocks": [actions(button())]}
        await client.views_publish(user_id=person.id, view=home)
        messages = running.workspace.messages(channel.id, person.id)
        thread = running.workspace.messages(channel.id, person.id, thread_ts=posted["ts"])
        view = running.workspace.home(running.app.id, person.id)
        last = running.workspace.last_change()
        tokens = running.credentials
    async with serve(tmp_path, manifest=manifest(), rate_limits=UNLIMITED) as running:
        workspace = running.workspace
        assert running.credentials == tokens and running.app == before.app
        assert workspace.users()[0] == person and workspace.channel(channel.id) == channel
        assert workspace.messages(channel.id, person.id) == messages
        assert workspace.messages(channel.id, person.id, thread_ts=posted["ts"]) == thread
        assert workspace.home(running.app.id, person.id) == view
        assert workspace.file_path(messages[-1].files[0]).read_bytes() == b"hello"
        assert workspace.last_change() >= last
        client = AsyncWebClient(running.bot_token, base_url=running.api_url)
        newer = await client.chat_postMessage(channel=channel.id, text="newer")
        assert newer["ts"] > messages[-1].ts


async def test_what_was_answered_is_on_disk_in_a_moment(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest(), rate_limits=UNLIMITED) as running:
        client = AsyncWebClient(running.bot_token, base_url=running.api_url)
        for number in range(500):
            await client.chat_postMessage(channel="#general", text=str(number))
        await asyncio.to_thread(running.workspace.book.journal.flush)
        connection = sqlite3.connect(tmp_path / "workspace.sqlite3")
        rows = connection.execute("SELECT count(*) FROM records WHERE kind = 'message'").fetchone()
        connection.close()
        assert rows == (500,)


async def test_a_changed_manifest_keeps_the_apps_tokens(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest()) as running:
        tokens = running.credentials
    async with serve(tmp_path, manifest=manifest(scopes=("chat:write",))) as running:
        assert running.credentials == tokens and running.app.scopes == ("chat:write",)


async def test_a_bot_that_was_taken_out_of_a_channel_stays_out(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest()) as running:
        running.faults.remove_bot("general")
    async with serve(tmp_path, manifest=manifest()) as running:
        assert running.app.bot_user not in running.workspace.channel_named("general").members


async def test_a_new_workspace_can_have_its_bot_outside(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest(), bot_in_channels=False) as running:
        assert running.app.bot_user not in running.workspace.channel_named("general").members


async def test_a_second_process_is_kept_out_of_the_state(tmp_path: Path) -> None:
    async with serve(tmp_path):
        with pytest.raises(WorkspaceError, match="Another workspace"):
            async with serve(tmp_path):
                pass


async def test_a_workspace_without_an_app_says_so(tmp_path: Path) -> None:
    async with serve(tmp_path) as running:
        with pytest.raises(WorkspaceError, match="No app"):
            _ = running.bot_token


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("display_information: {}", "display_information/name"),
        ("display_information: {name: " + "x" * 36 + "}", "display_information/name"),
        ("- a list", "not a Slack app manifest"),
        ("a: [", "not a Slack app manifest"),
        (
            "{display_information: {name: a}, features: {slash_commands: [{command: x, description: y}]}}",
            "features/slash_commands/0/command",
        ),
    ],
)
async def test_a_bad_manifest_is_named(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WorkspaceError, match=said):
        async with serve(tmp_path / "state", manifest=path):
            pass


async def start(*arguments: str) -> asyncio.subprocess.Process:
    """`python -m bot.workspace` with those arguments."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.workspace",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def announced(process: asyncio.subprocess.Process) -> dict[str, str]:
    """The line it prints when it listens."""
    assert process.stdout is not None
    async with asyncio.timeout(CEILING):
        line = await process.stdout.readline()
    told = json.loads(line)
    assert set(told) == {"url", "api_url", "credentials"}
    return {str(name): str(value) for name, value in told.items()}


def private_json(path: Path) -> dict[str, str]:
    """What a file that only its owner may read holds."""
    assert path.stat().st_mode & 0o777 == 0o600
    document: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return document


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    """Its exit code and what it said on stderr."""
    async with asyncio.timeout(CEILING):
        _, stderr = await process.communicate()
    return process.returncode, stderr.decode()


async def test_the_command_prints_one_line_and_ends_on_sigterm(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(manifest(), allow_unicode=True), encoding="utf-8")
    state = tmp_path / "state"
    process = await start(
        "--state", str(state), "--manifest", str(path), "--channel", "ops", "--channel", "general"
    )
    told = await announced(process)
    document = private_json(Path(told["credentials"]))
    client = AsyncWebClient(document["bot_token"], base_url=told["api_url"])
    channels = (await client.conversations_list())["channels"]
    assert [channel["name"] for channel in channels] == ["ops", "general"]
    assert document["app_token"].startswith("xapp-") and document["signing_secret"]

    port = told["url"].rsplit(":", 1)[1]
    second = await start("--state", str(tmp_path / "second"), "--port", port)
    code, said = await ended(second)
    assert code == 2 and f"Port {port}" in said and said.count("\n") == 1

    process.send_signal(signal.SIGTERM)
    assert await ended(process) == (0, "")


async def test_it_dies_with_its_parent_when_asked_to(tmp_path: Path) -> None:
    process = await start("--state", str(tmp_path), "--exit-with-stdin")
    await announced(process)
    assert process.stdin is not None
    process.stdin.close()
    assert await ended(process) == (0, "")


async def test_it_refuses_other_addresses(tmp_path: Path) -> None:
    process = await start("--state", str(tmp_path), "--host", "10.0.0.1")
    code, said = await ended(process)
    assert code == 2 and "loopback" in said


async def test_state_that_is_no_state_is_named(tmp_path: Path) -> None:
    write(tmp_path / "workspace.sqlite3", "no database")
    with pytest.raises(WorkspaceError, match="can't be read"):
        async with serve(tmp_path):
            pass


async def test_an_app_that_is_installed_later_joins_the_channels(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest()):
        pass
    async with serve(tmp_path, manifest=[manifest(), manifest(name="Later")]) as running:
        members = running.workspace.channel_named("general").members
        assert [app.bot_user in members for app in running.workspace.apps()] == [True, True]


def write(path: Path, text: str) -> None:
    """Write a file."""
    path.write_text(text, encoding="utf-8")
