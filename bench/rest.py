"""At rest: the default probes every 15 s, nothing wrong, nobody asking."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from bench.door import open_door
from bench.figures import Figure, Result
from bench.program import guardian, running
from bench.usage import Usage, usage_over

NAME = "rest"
MOST_MB = 100.0
MOST_CPU = 1.0


async def measure(quick: bool) -> Result:
    """Memory and processor time of the Guardian as it comes, beside a Python that has imported what a Slack
    bot needs and sleeps."""
    seconds, settle = (1.0, 0.5) if quick else (60.0, 20.0)
    async with running(["-m", "bench.floors.imported"], {}) as program:
        await asyncio.sleep(min(settle, 5.0))
        floor = await usage_over(program.pid, min(seconds, 10.0))
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
        state = Path(folder)
        first = await _guardian(state, seconds, settle)
        # The first start ever makes the database, and the memory that this takes is not all given back.
        again = await _guardian(state, seconds, settle)
    figures = [
        Figure("at rest: memory", "MB", floor.rss_mb, again.rss_mb, at_most=MOST_MB),
        Figure("at rest: memory, first start ever", "MB", floor.rss_mb, first.rss_mb, at_most=MOST_MB),
        Figure("at rest: CPU", "% core", floor.cpu, again.cpu, at_most=MOST_CPU),
    ]
    return Result(NAME, f"{seconds:g} s, {settle:g} s after the start", figures)


async def _guardian(state: Path, seconds: float, settle: float) -> Usage:
    async with open_door() as door, guardian(door.api_url, state) as program:
        await door.until_connected()
        await asyncio.sleep(settle)
        return await usage_over(program.pid, seconds)
