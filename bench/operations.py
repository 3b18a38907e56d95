"""Operations: from the click on 승인 to the first sign of life, what a journalled step costs, and a thousand
clicks on one plan."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import JsonValue

from bench.approvals import over, planned, sign
from bench.door import Arrival, Door, open_door
from bench.figures import Figure, Result, middle, percentile
from bench.program import guardian, quiet_machine, running, told_by

NAME = "operations"
SIGN_AIM = 300.0
"""milliseconds"""
_REST = 1.2
"""seconds between approvals: notes in threads must not use up a channel's one post a second"""
_SLEEPS = "import os, sys; os.fork() or os._exit(0); print(flush=True); sys.stdin.read()"


async def measure(quick: bool) -> Result:
    """Figures of a real Guardian that looks after zombies, of which there is one, and of the runner alone."""
    approvals, clicks, steps = (2, 50, 20) if quick else (20, 1000, 200)
    floor_signs, floor_race = await _floor(approvals + 1, clicks)
    signs, race = await _guardian(approvals + 1, clicks)
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
        bare = await told_by(["-m", "bench.floors.journal", str(Path(folder) / "floor.db"), str(steps)])
        kept = await told_by(["-m", "bench.parts.journalled", folder, str(steps)])
    first, *later = signs
    figures = [
        Figure("approval to the first sign, the first since the start", "ms", floor_signs[0], first,
               at_most=SIGN_AIM),
        *(
            Figure(f"approval to the first sign, p{percent:g}", "ms", percentile(floor_signs[1:], percent),
                   percentile(later, percent), at_most=SIGN_AIM)
            for percent in (50.0, 95.0)
        ),
        Figure("a journalled step that does nothing", "ms", _ms(bare["steps"]), _ms(kept["steps"])),
        Figure(f"{clicks} clicks on one plan, until the last is answered", "s", floor_race[0], race[0]),
        Figure(f"{clicks} clicks on one plan, not acknowledged within 3 s", "clicks", floor_race[1], race[1],
               at_most=1),
    ]  # fmt: skip
    method = (
        f"{approvals} approvals after the first, {_REST:g} s apart, from the envelope to the edit of the card"
        f" or an answer at the door; medians of {steps} steps; {clicks} envelopes at once, one winner;"
        " one after the other"
    )
    runs: dict[str, JsonValue] = {
        "floor signs": _rounded(floor_signs),
        "guardian signs": _rounded(signs),
        "floor steps": _rounded(bare["steps"]),
        "guardian steps": _rounded(kept["steps"]),
        "durable runs loaded and first step reached": round(kept["first"][0], 4),
    }
    return Result(NAME, method, figures, runs)


async def signs_of_the_least(approvals: int) -> list[float]:
    """Milliseconds from the click to the first sign, for so many approvals by the least that takes them."""
    return (await _floor(approvals, 2))[0]


async def _floor(approvals: int, clicks: int) -> tuple[list[float], tuple[float, int]]:
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
        async with open_door() as door:
            arguments = ["-m", "bench.floors.approver", door.api_url, str(Path(folder) / "floor.db")]
            async with running(arguments, {}):
                await door.until_connected()
                signs = []
                for number in range(approvals):
                    card = Arrival(0.0, "chat.postMessage", "C00000001", "{}", f"{number}.1")
                    signs.append(await sign(door, card, str(number)))
                card = Arrival(0.0, "chat.postMessage", "C00000001", "{}", "race.1")
                return signs, await _race(door, card, str(approvals), clicks)


async def _guardian(approvals: int, clicks: int) -> tuple[list[float], tuple[float, int]]:
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as state:
        async with open_door() as door, _zombie(), guardian(door.api_url, Path(state), _settings()):
            await door.until_connected()
            await door.until_reported()
            signs = []
            for _ in range(approvals):
                card, value = await planned(door, "cleanup zombies")
                await asyncio.sleep(_REST)
                signs.append(await sign(door, card, value))
                await over(door, card)
                await asyncio.sleep(_REST)
            card, value = await planned(door, "cleanup zombies")
            await asyncio.sleep(_REST)
            return signs, await _race(door, card, value, clicks)


async def _race(door: Door, card: Arrival, value: str, clicks: int) -> tuple[float, int]:
    """Seconds until so many clicks are answered, one by the card and all others by an answer; and how many
    were not acknowledged as soon as Slack wants it. Raises ValueError when there is not one winner."""
    seen, before = len(door.arrivals), door.answers
    began = time.monotonic()
    acknowledged = await asyncio.gather(*(door.press(card, "op_approve", value) for _ in range(clicks)))

    def edits() -> list[float]:
        return [each.at for each in door.arrivals[seen:] if each.ts == card.ts]

    await door.until(lambda: door.answers - before >= clicks - 1 and bool(edits()), 300)
    if door.answers - before != clicks - 1:
        raise ValueError(f"{door.answers - before} of {clicks} clicks were told that they came late")
    return max(door.answered_at, edits()[0]) - began, acknowledged.count(None)


@asynccontextmanager
async def _zombie() -> AsyncIterator[None]:
    """A process that has ended and that nobody has waited for: without one there is nothing to plan."""
    pipe = asyncio.subprocess.PIPE
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", _SLEEPS, stdin=pipe, stdout=pipe)
    assert parent.stdout is not None
    assert parent.stdin is not None
    await parent.stdout.readline()
    try:
        yield
    finally:
        parent.stdin.close()
        await parent.wait()


def _settings() -> dict[str, JsonValue]:
    nothing: dict[str, JsonValue] = {"roots": []}
    caches: dict[str, JsonValue] = {"npm": None, "pip": None, "docker": None}
    return {**quiet_machine(), "cleanup": {"logs": nothing, "temporary": nothing, "caches": caches}}


def _ms(seconds: list[float]) -> float:
    return 1000 * middle(seconds)


def _rounded(values: list[float]) -> list[JsonValue]:
    return [round(value, 5) for value in values]
