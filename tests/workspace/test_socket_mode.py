"""Socket Mode on the wire, with a bare WebSocket client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.workspace.model import ChangeKind, Channel, User
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED, Timings
from bot.workspace.sockets import MOST_CONNECTIONS
from tests.workspace.harness import Socket, event_of, eventually, manifest, payload_of


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[Running]:
    """A workspace that loses patience at once, so that nobody has to wait for it."""
    timings = Timings(acknowledgement=0.05, retries=(0.01, 0.01, 0.01), disconnect_warning=0.01)
    async with serve(tmp_path, manifest=manifest(), rate_limits=UNLIMITED, timings=timings) as server:
        yield server


def test_the_figures_are_slacks() -> None:
    timings = Timings()
    assert timings.acknowledgement == 3.0
    assert timings.trigger == 3.0
    assert timings.response_url == 30 * 60
    assert timings.disconnect_warning == 10.0
    assert MOST_CONNECTIONS == 10


async def test_the_first_frame_is_a_hello(running: Running, session: aiohttp.ClientSession) -> None:
    first, second = Socket(running, session), Socket(running, session)
    hello = await first.connect()
    assert hello["type"] == "hello"
    assert hello["num_connections"] == 1
    assert hello["connection_info"] == {"app_id": running.app.id}
    assert isinstance(hello["debug_info"], dict)
    assert hello["debug_info"]["approximate_connection_time"]
    assert (await second.connect())["num_connections"] == 2


async def test_an_address_is_for_one_use(running: Running, session: aiohttp.ClientSession) -> None:
    address = await Socket(running, session).address()
    await Socket(running, session).connect(address)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await Socket(running, session).connect(address)
    assert refused.value.status == 403


async def test_ten_connections_are_taken_and_each_payload_goes_to_one(
    running: Running, session: aiohttp.ClientSession, person: User, general: Channel
) -> None:
    sockets = [Socket(running, session) for _ in range(MOST_CONNECTIONS)]
    for socket in sockets:
        await socket.connect()
    turned_away = await Socket(running, session).connect()
    assert turned_away["type"] == "disconnect" and turned_away["reason"] == "too_many_websockets"

    taken: list[str] = []

    async def answer(socket: Socket) -> None:
        while True:
            frame = await socket.next()
            taken.append(str(payload_of(frame)["text"]))
            await socket.ack(frame)

    tasks = [asyncio.create_task(answer(socket)) for socket in sockets]
    sent = [str(number) for number in range(40)]
    outcomes = await asyncio.gather(
        *(running.workspace.run_command(person.id, general.id, f"/probe {n}") for n in sent)
    )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(outcome.error is None for outcome in outcomes)
    assert sorted(taken, key=int) == sent


async def test_a_command_is_an_envelope(
    running: Running, socket: Socket, person: User, general: Channel
) -> None:
    task = asyncio.create_task(running.workspace.run_command(person.id, general.id, "/probe a <b> & @here"))
    frame = await socket.next()
    assert frame["type"] == "slash_commands" and frame["accepts_response_payload"] is True
    payload = payload_of(frame)
    assert payload["command"] == "/probe" and payload["text"] == "a &lt;b&gt; &amp; @here"
    assert payload["user_id"] == person.id and payload["channel_id"] == general.id
    assert payload["channel_name"] == "general" and payload["api_app_id"] == running.app.id
    assert str(payload["response_url"]).startswith(running.url)
    await socket.ack(frame, {"text": "done"})
    outcome = await task
    assert outcome.error is None and outcome.took > 0
    shown = running.workspace.messages(general.id, person.id)
    assert [(m.text, m.ephemeral_for) for m in shown] == [("done", person.id)]


async def test_a_command_that_wants_it_gets_mentions_marked(
    running: Running, socket: Socket, person: User, other: User, general: Channel
) -> None:
    typed = f"/marked @{other.name} #general"
    task = asyncio.create_task(running.workspace.run_command(person.id, general.id, typed))
    frame = await socket.next()
    assert payload_of(frame)["text"] == f"<@{other.id}> <#{general.id}|general>"
    await socket.ack(frame)
    await task


async def test_a_command_that_nobody_acknowledges_times_out(
    hasty: Running, session: aiohttp.ClientSession
) -> None:
    person, channel = hasty.workspace.users()[0], hasty.workspace.channel_named("general")
    told = hasty.workspace.subscribe(person.id)
    nobody = await hasty.workspace.run_command(person.id, channel.id, "/probe")
    assert nobody.error == "dispatch_failed"
    socket = Socket(hasty, session)
    await socket.connect()
    late = await hasty.workspace.run_command(person.id, channel.id, "/probe")
    assert late.error == "operation_timeout"
    unknown = await hasty.workspace.run_command(person.id, channel.id, "/nothing")
    assert unknown.error == "unknown_command"
    notices = [(await anext(told)) for _ in range(3)]
    await told.aclose()
    assert [n.notice and n.notice.code for n in notices] == [
        "dispatch_failed",
        "operation_timeout",
        "unknown_command",
    ]
    assert all(n.kind is ChangeKind.NOTICE for n in notices)
    # the late acknowledgement of a payload that was given up harms nothing
    await socket.ack(await socket.next())
    assert hasty.workspace.app_online(hasty.app.id)


async def test_an_event_that_nobody_acknowledges_comes_again(
    hasty: Running, session: aiohttp.ClientSession
) -> None:
    person, channel = hasty.workspace.users()[0], hasty.workspace.channel_named("general")
    socket = Socket(hasty, session)
    await socket.connect()
    await hasty.workspace.post_as_user(person.id, channel.id, "hello")
    frames = [await socket.next() for _ in range(4)]
    assert [(f["retry_attempt"], f["retry_reason"]) for f in frames] == [
        (0, ""),
        (1, "timeout"),
        (2, "timeout"),
        (3, "timeout"),
    ]
    assert len({str(f["envelope_id"]) for f in frames}) == 4
    assert len({str(payload_of(f)["event_id"]) for f in frames}) == 1


async def test_an_event_waits_for_a_connection(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    timings = Timings(retries=(0.01,) * 10_000)
    async with serve(tmp_path, manifest=manifest(), timings=timings) as running:
        person, channel = running.workspace.users()[0], running.workspace.channel_named("general")
        await running.workspace.post_as_user(person.id, channel.id, "is anybody there?")
        socket = Socket(running, session)
        await socket.connect()
        frame = await socket.next()
        assert event_of(frame)["text"] == "is anybody there?"
        assert frame["retry_reason"] == "no_active_connection"
        await socket.ack(frame)


async def test_events_are_those_of_the_manifest(
    running: Running, socket: Socket, person: User, general: Channel
) -> None:
    bot = running.workspace.user(running.app.bot_user)
    assert bot is not None
    message = await running.workspace.post_as_user(person.id, general.id, f"@{bot.name} <hello> & @here")
    events = []
    for _ in range(2):
        frame = await socket.next()
        await socket.ack(frame)
        assert frame["type"] == "events_api" and frame["accepts_response_payload"] is False
        assert payload_of(frame)["type"] == "event_callback"
        events.append(event_of(frame))
    assert [event["type"] for event in events] == ["message", "app_mention"]
    assert all(event["text"] == f"<@{bot.id}> &lt;hello&gt; &amp; <!here>" for event in events)
    assert all(event["ts"] == message.ts and event["channel"] == general.id for event in events)
    assert events[0]["channel_type"] == "channel"
    # changes and deletions are messages too; reaction_removed was not subscribed to
    await running.workspace.edit_own_message(person.id, general.id, message.ts, "other")
    await running.workspace.react(person.id, general.id, message.ts, "eyes")
    await running.workspace.react(person.id, general.id, message.ts, "eyes")
    await running.workspace.delete_own_message(person.id, general.id, message.ts)
    kinds = []
    for _ in range(3):
        frame = await socket.next()
        await socket.ack(frame)
        kinds.append(event_of(frame).get("subtype") or event_of(frame)["type"])
    assert kinds == ["message_changed", "reaction_added", "message_deleted"]


async def test_a_direct_message_is_an_event_of_its_own(
    running: Running, socket: Socket, person: User
) -> None:
    direct = next(c for c in running.workspace.channels_for(person.id) if c.kind == "im")
    await running.workspace.post_as_user(person.id, direct.id, "안녕")
    frame = await socket.next()
    await socket.ack(frame)
    event = event_of(frame)
    assert event["channel_type"] == "im" and event["channel"] == direct.id and event["text"] == "안녕"


@pytest.mark.parametrize("reason", ["refresh_requested", "link_disabled"])
async def test_a_disconnect_ends_the_connection(reason: str, running: Running, socket: Socket) -> None:
    ending = asyncio.create_task(running.faults.disconnect(reason))
    frame = await socket.next()
    assert (frame["type"], frame["reason"]) == ("disconnect", reason)
    assert await socket.closed()
    await ending
    assert not running.workspace.app_online(running.app.id)


async def test_a_warning_comes_ahead_of_the_refresh(hasty: Running, session: aiohttp.ClientSession) -> None:
    socket = Socket(hasty, session)
    await socket.connect()
    hasty.faults.refresh()
    assert [(await socket.next())["reason"] for _ in range(2)] == ["warning", "refresh_requested"]
    assert await socket.closed()


async def test_sockets_can_be_cut(running: Running, socket: Socket) -> None:
    assert running.faults.drop_sockets() == 1
    assert await socket.closed()
    await eventually(lambda: running.workspace.sockets.count(running.app.id) == 0)


async def test_an_envelope_can_come_twice(
    running: Running, socket: Socket, person: User, general: Channel
) -> None:
    running.faults.duplicate()
    task = asyncio.create_task(running.workspace.run_command(person.id, general.id, "/probe"))
    first, second = await socket.next(), await socket.next()
    assert first == second
    await socket.ack(first)
    await socket.ack(second)
    assert (await task).error is None


async def test_a_connection_lost_before_the_acknowledgement_fails_the_command(
    running: Running, socket: Socket, person: User, general: Channel
) -> None:
    task = asyncio.create_task(running.workspace.run_command(person.id, general.id, "/probe"))
    await socket.next()
    running.faults.drop_sockets()
    assert (await task).error == "dispatch_failed"


async def test_nonsense_on_the_socket_is_ignored(
    running: Running, socket: Socket, person: User, general: Channel
) -> None:
    assert socket.socket is not None
    for nonsense in ("{", "[]", "null", '{"envelope_id": 7}', '{"envelope_id": "unknown"}'):
        await socket.socket.send_str(nonsense)
    task = asyncio.create_task(running.workspace.run_command(person.id, general.id, "/probe"))
    await socket.ack(await socket.next())
    assert (await task).error is None
