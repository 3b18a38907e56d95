"""The runtime API: what may be said, and what becomes of answers that are none. Over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.haproxy.runtime import Runtime

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def other_side(answer: Answering) -> AsyncIterator[str]:
    """Something that listens where HAProxy should."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"
    finally:
        server.close()


async def test_all_commands_go_in_one_line() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())

    async with other_side(echo) as address:
        assert await Runtime(address, 30).ask("show info", "show stat shop_b 6 -1") == (
            "show info;show stat shop_b 6 -1\n"
        )


@given(st.text(min_size=1).filter(lambda text: any(each in text for each in ";\n\r\\\"'#<> \0\t")))
async def test_no_text_from_outside_makes_another_command(text: str) -> None:
    runtime = Runtime("/nowhere", 1)
    if any(each in text for each in ";\n\r\\\"'#<>\0\t"):
        with pytest.raises(ValueError, match="not a command"):
            await runtime.ask(f"get map {text}")


async def test_one_that_is_not_there_is_gone(tmp_path: Path) -> None:
    with pytest.raises(TrafficFailed) as failed:
        await Runtime(str(tmp_path / "none.sock"), 30).ask("show info")
    assert failed.value.reason == "traffic_gone"


async def test_one_that_says_nothing_is_gone() -> None:
    over = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()

    async with other_side(silent) as address:
        with pytest.raises(TrafficFailed, match="no answer within"):
            await Runtime(address, 0.05).ask("show info")
        over.set()


async def test_one_that_hangs_up_is_gone() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()

    async with other_side(rude) as address:
        with pytest.raises(TrafficFailed, match="hung up") as failed:
            await Runtime(address, 30).ask("show info")
    assert failed.value.reason == "traffic_gone"


async def test_one_that_does_not_stop_is_not_listened_to_for_ever() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with other_side(endless) as address:
        with pytest.raises(TrafficFailed) as failed:
            await Runtime(address, 30).ask("show info")
    assert failed.value.reason == "traffic_unreadable"
