"""A thousand web addresses, each asked every ten seconds."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from pydantic import JsonValue

from bench.door import open_door
from bench.figures import Figure, Result
from bench.program import guardian, quiet_machine, running
from bench.targets import serve_targets
from bench.usage import Usage, usage_over

NAME = "many"
AIM = 20.0


async def measure(quick: bool) -> Result:
    """What watching them costs the Guardian beyond watching nothing but its machine, beside aiohttp alone."""
    count, interval, seconds, settle = (20, 1.0, 1.0, 0.5) if quick else (1000, 10.0, 60.0, 15.0)
    idle, _ = await _guardian(0, interval, seconds, settle)
    async with serve_targets() as targets:
        arguments = ["-m", "bench.floors.aiohttp_loop", targets.url, str(count), str(interval)]
        async with running(arguments, {}) as program:
            await asyncio.sleep(settle + interval)
            before = targets.asked
            floor = await usage_over(program.pid, seconds)
            floor_rate = (targets.asked - before) / seconds
    ours, rate = await _guardian(count, interval, seconds, settle + interval)
    name = f"{count} targets every {interval:g} s"
    figures = [
        Figure(f"{name}: CPU beyond idle", "% core", floor.cpu, ours.cpu - idle.cpu, at_most=AIM),
        Figure(f"{name}: memory", "MB", floor.rss_mb, ours.rss_mb),
        Figure(f"{name}: checks a second", "1/s", floor_rate, rate),
    ]
    runs: dict[str, JsonValue] = {"idle_cpu": idle.cpu, "idle_rss_mb": idle.rss_mb, "cpu": ours.cpu}
    return Result(NAME, f"{seconds:g} s each, after the first round; one after the other", figures, runs)


async def _guardian(count: int, interval: float, seconds: float, settle: float) -> tuple[Usage, float]:
    async with open_door() as door, serve_targets() as targets:
        watched: list[JsonValue] = [
            {"name": f"target-{number}", "url": f"{targets.url}/{number}"} for number in range(count)
        ]
        probes: JsonValue = {"http": {"interval": interval, "targets": watched}}
        with tempfile.TemporaryDirectory(prefix="guardian-bench-") as state:
            settings = {**quiet_machine(), "probes": probes}
            async with guardian(door.api_url, Path(state), settings) as program:
                await door.until_connected()
                await asyncio.sleep(settle)
                before = targets.asked
                usage = await usage_over(program.pid, seconds)
                return usage, (targets.asked - before) / seconds
