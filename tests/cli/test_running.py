"""Whether a Guardian is at work here, asked from beside it."""

from __future__ import annotations

import asyncio
import os
import socket

from pydantic import SecretStr

from bot.cli.running import Running, running
from bot.config import Settings
from bot.config.settings import HealthSettings, StoreSettings
from tests.ports import free_port
from tests.stage import Stage

ELSEWHERE = StoreSettings(url=SecretStr("postgresql://guardian@127.0.0.1/guardian"))


def asked(port: int) -> Settings:
    """A configuration with a database that has no lock file."""
    return Settings(name="web-1", store=ELSEWHERE, health=HealthSettings(port=port))


async def test_a_guardian_without_a_lock_file_is_known_by_its_answer(stage: Stage) -> None:
    await stage.health()
    port = stage.settings.health.port
    found = await asyncio.to_thread(running, asked(port))
    assert isinstance(found, Running)
    assert found.pid == os.getpid()
    assert port in found.ports
    assert await asyncio.to_thread(running, asked(free_port())) is None


async def test_another_door_is_no_guardian() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'HTTP/1.0 200 OK\r\n\r\n{"status": "ok"}')
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, family=socket.AF_INET) as server:
        port = server.sockets[0].getsockname()[1]
        assert await asyncio.to_thread(running, asked(port)) is None
