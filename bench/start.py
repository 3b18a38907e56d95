"""From the start of the process to being ready: connected, and the first report at Slack's door."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from bench.door import open_door
from bench.figures import Figure, Result, middle
from bench.program import guardian, running

NAME = "start"
AIM = 2.0


@dataclass(frozen=True, slots=True)
class _Start:
    connected: float
    reported: float


async def measure(quick: bool) -> Result:
    """Starts with a new database and with one that is there, beside importing the libraries."""
    repetitions = 1 if quick else 5
    imports: list[float] = []
    fresh: list[_Start] = []
    usual: list[_Start] = []
    for _ in range(repetitions):
        imports.append(await _imports())
        with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
            fresh.append(await _guardian(Path(folder)))
            usual.append(await _guardian(Path(folder)))
    floor = middle(imports)
    figures = [
        Figure("start to connected", "s", floor, middle([each.connected for each in usual]), at_most=AIM),
        Figure("start to first report", "s", floor, middle([each.reported for each in usual]), at_most=AIM),
        Figure("first start ever to connected", "s", floor, middle([each.connected for each in fresh])),
        Figure("first start ever to first report", "s", floor, middle([each.reported for each in fresh])),
    ]
    runs: dict[str, JsonValue] = {
        "imports": [*imports],
        "connected": [each.connected for each in usual],
        "reported": [each.reported for each in usual],
    }
    return Result(NAME, f"medians of {repetitions} starts each", figures, runs)


async def _imports() -> float:
    async with running(["-m", "bench.floors.imports"], {}) as program:
        async with asyncio.timeout(60):
            await program.process.wait()
        return time.monotonic() - program.began


async def _guardian(state: Path) -> _Start:
    async with open_door() as door, guardian(door.api_url, state) as program:
        await door.until_connected()
        await door.until_reported()
        assert door.connected_at is not None
        return _Start(door.connected_at - program.began, door.arrivals[0].at - program.began)
