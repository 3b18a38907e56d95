"""Watchdogs and small Guardians as processes of their own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.drivers import TrafficConfiguration, as_json
from bot.tools.traffic.guarding import watchdog_command
from tests.waiting import eventually

_HOLDING = str(Path(__file__).with_name("holding.py"))
_ROOT = Path(__file__).parents[3]


@dataclass
class Dog:
    """A watchdog, and what it has said."""

    process: asyncio.subprocess.Process
    said: list[dict[str, object]] = field(default_factory=list)

    def events(self, name: str) -> list[dict[str, object]]:
        """What it said of that kind."""
        return [each for each in self.said if each["event"] == name]

    async def says(self, name: str) -> dict[str, object]:
        """Wait until it says that; the first time that it did."""
        return (await eventually(lambda: self.events(name)))[0]

    async def listen(self) -> None:
        """Until it ends."""
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.said.append(json.loads(line))


@asynccontextmanager
async def dog(folder: Path, linger: float | None = None) -> AsyncIterator[Dog]:
    """A watchdog of that folder."""
    process = await asyncio.create_subprocess_exec(
        *watchdog_command(folder, linger), stderr=asyncio.subprocess.PIPE, cwd=_ROOT
    )
    found = Dog(process)
    listening = asyncio.create_task(found.listen())
    try:
        yield found
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await listening


@asynccontextmanager
async def small_guardian(
    folder: Path,
    traffic: TrafficConfiguration,
    seconds: float,
    how: str = "",
    slots: Mapping[Slot, Address] | None = None,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """One that holds a lease when the block begins. `slots`: their addresses, where the lease names them."""
    pipe = asyncio.subprocess.PIPE
    addresses = json.dumps({slot: str(at) for slot, at in (slots or {}).items()})
    arguments = [str(folder), json.dumps(as_json(traffic)), str(seconds), addresses, how]
    process = await asyncio.create_subprocess_exec(
        sys.executable, _HOLDING, *arguments, stdin=pipe, stdout=pipe, cwd=_ROOT
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"held\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
