"""Thousands of open alerts and a long history: what a look at the deadlines takes, and a list of alerts."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from bench.door import Door, open_door
from bench.figures import Figure, Result, middle, percentile
from bench.program import guardian, quiet_machine, told_by
from bench.stocked import CHANNEL, stock
from bot.domain.routing import default_routes

NAME = "desk"
TICK_AIM = 50.0
LIST_AIM = 100.0
_DUE = 100
_LISTS = {"alerts": "open", "alerts all": "latest"}
"""the command, and what the floor calls the same rows"""


async def measure(quick: bool) -> Result:
    """Ticks of the alert desk and answers to `/guardian alerts`, beside plain sqlite3 on the same rows."""
    still_open, over, rounds = (300, 300, 2) if quick else (10_000, 100_000, 20)
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name:
        folder, began_at = Path(name), datetime.now(UTC)
        file = folder / "guardian.db"
        policy = default_routes(CHANNEL).default.policy
        await stock(f"sqlite+aiosqlite:///{file}", over, still_open, began_at, policy, _DUE)
        lists = await _lists(folder, rounds)
        copy = folder / "copy.db"
        shutil.copy(file, copy)
        arguments = [began_at.isoformat(), str(rounds)]
        floor = await told_by(["-m", "bench.floors.rows", str(copy), *arguments])
        ticks = await told_by(["-m", "bench.parts.ticking", str(file), *arguments])
    what = f"{still_open} open alerts"
    figures = [
        Figure(f"{what}: a tick, nothing due", "ms", _ms(floor["quiet"]), _ms(ticks["quiet"]),
               at_most=TICK_AIM),
        Figure(f"{what}: a tick, {_DUE} pages due", "ms", _ms(floor["due"]), _ms(ticks["due"]),
               at_most=TICK_AIM),
    ]  # fmt: skip
    for command, rows in _LISTS.items():
        about = f"/guardian {command}, {over} rows of history, p"
        for percent in (50.0, 95.0):
            bare, taken = (1000 * percentile(each, percent) for each in (floor[rows], lists[command]))
            figures.append(Figure(f"{about}{percent:g}", "ms", bare, taken, at_most=LIST_AIM))
    method = f"medians of {rounds} ticks; {rounds} commands each, from the envelope to the answer at the door"
    runs: dict[str, JsonValue] = {f"floor {key}": _rounded(values) for key, values in floor.items()}
    runs.update((f"guardian {key}", _rounded(values)) for key, values in (ticks | lists).items())
    return Result(NAME, method, figures, runs)


async def _lists(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds from the envelope of a command to its answer."""
    took: dict[str, list[float]] = {command: [] for command in _LISTS}
    async with open_door() as door, guardian(door.api_url, folder, quiet_machine()):
        await door.until_connected()
        await door.until_reported()
        for command in _LISTS:
            await _ask(door, command)  # the first one makes what the others find
        for _ in range(rounds):
            for command, seconds in took.items():
                await asyncio.sleep(0.05)
                seconds.append(await _ask(door, command))
    return took


async def _ask(door: Door, command: str) -> float:
    before, began = door.answers, time.monotonic()
    await door.command(command)
    await door.until(lambda: door.answers > before)
    return door.answered_at - began


def _ms(seconds: list[float]) -> float:
    return 1000 * middle(seconds)


def _rounded(values: list[float]) -> list[JsonValue]:
    return [round(value, 6) for value in values]
