"""From a slash command to its acknowledgement in Socket Mode, at a steady rate."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import JsonValue

from bench.door import Door, open_door
from bench.figures import Figure, Result, middle, percentile
from bench.program import guardian, quiet_machine, running

NAME = "ack"
TEXTS = ("version", "status")
AIM = 1.5

Times = list[float]


async def measure(quick: bool) -> Result:
    """Acknowledgement times of the Guardian, beside an app that only acknowledges."""
    rates, seconds, rounds = ((50,), 0.5, 1) if quick else ((50, 200), 2.0, 15)
    floor: dict[int, list[Times]] = {rate: [] for rate in rates}
    ours: dict[tuple[str, int], list[Times]] = {(text, rate): [] for rate in rates for text in TEXTS}
    async with _only_ack() as least, _guardian() as door:
        for text in TEXTS:
            await _send(least, text, 50, min(seconds, 1.0))
            await _send(door, text, 50, min(seconds, 1.0), answers=True)
        for _ in range(rounds):
            for rate in rates:
                floor[rate].append(await _send(least, "version", rate, seconds))
                for text in TEXTS:
                    ours[text, rate].append(await _send(door, text, rate, seconds, answers=True))
    figures: list[Figure] = []
    for text, rate in ours:
        for percent, aim in ((50.0, None), (99.0, AIM)):
            bare = middle([percentile(times, percent) for times in floor[rate]])
            taken = middle([percentile(times, percent) for times in ours[text, rate]])
            what = f"ack of /guardian {text}, {rate}/s, p{percent:g}"
            figures.append(Figure(what, "ms", bare, taken, at_most_ratio=aim))
    method = f"both apps by turns, {rounds} blocks of {seconds:g} s at each rate; medians over the blocks"
    runs: dict[str, JsonValue] = {f"floor {rate}": _summaries(times) for rate, times in floor.items()}
    runs.update((f"{text} {rate}", _summaries(times)) for (text, rate), times in ours.items())
    return Result(NAME, method, figures, runs)


@asynccontextmanager
async def _only_ack() -> AsyncIterator[Door]:
    async with open_door() as door:
        environment = {
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "SLACK_APP_TOKEN": "xapp-bench",
            "SLACK_API_URL": door.api_url,
        }
        async with running(["-m", "bench.floors.only_ack"], environment):
            await door.until_connected()
            yield door


@asynccontextmanager
async def _guardian() -> AsyncIterator[Door]:
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as state:
        async with open_door() as door, guardian(door.api_url, Path(state), quiet_machine()):
            await door.until_connected()
            await door.until_reported()
            yield door


async def _send(door: Door, text: str, rate: int, seconds: float, *, answers: bool = False) -> Times:
    """Send commands at `rate` a second whatever becomes of them; the milliseconds to each acknowledgement.

    With `answers`, wait afterwards until each has its answer. Raises TimeoutError when one stays out.
    """
    loop = asyncio.get_running_loop()
    before, count = door.answers, max(1, round(rate * seconds))
    began = loop.time()
    sent: list[asyncio.Task[float | None]] = []
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        sent.append(asyncio.create_task(door.command(text)))
    times = [took for took in await asyncio.gather(*sent) if took is not None]
    if len(times) < count:
        raise TimeoutError(f"{count - len(times)} of {count} commands were not acknowledged")
    if answers:
        await door.until(lambda: door.answers - before >= count, 60)
    return times


def _summaries(runs: list[Times]) -> list[JsonValue]:
    return [
        {
            "commands": len(times),
            **{f"p{percent}": round(percentile(times, percent), 3) for percent in (50, 95, 99, 100)},
        }
        for times in runs
    ]
