"""From a target going bad to the card at Slack's door."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path

from pydantic import JsonValue

from bench.door import Door, open_door
from bench.figures import Figure, Result, middle, percentile
from bench.program import guardian, quiet_machine, running
from bench.targets import Targets, serve_targets

NAME = "card"
INTERVAL = 1.0
AIM = 1.2
_REST = 3.5
"""seconds between flips: a card and its notes must not use up a channel's one post a second"""


async def measure(quick: bool) -> Result:
    """Detection times of the Guardian and of a bare poller, both at work at the same time."""
    flips = 1 if quick else 40
    async with open_door() as door, serve_targets() as targets:
        with tempfile.TemporaryDirectory(prefix="guardian-bench-") as state:
            watched, polled = f"{targets.url}/watched", f"{targets.url}/polled"
            poller = ["-m", "bench.floors.poller", polled, door.api_url, str(INTERVAL)]
            async with guardian(door.api_url, Path(state), _settings(watched)), running(poller, {}):
                await door.until_connected()
                for name in ("watched", "polled"):
                    await targets.next_request(name)
                ours, least = await asyncio.gather(
                    _flip(door, targets, "watched", flips), _flip(door, targets, "polled", flips)
                )
    figures = [
        Figure(f"bad to card at the door, p{percent:g}", "s", percentile(least, percent),
               percentile(ours, percent), at_most_ratio=AIM)
        for percent in (50.0, 95.0)
    ]  # fmt: skip
    figures.append(Figure("bad to card at the door, mean", "s", sum(least) / flips, sum(ours) / flips))
    method = f"{flips} flips each, at random moments spread evenly over the interval; both at once"
    runs: dict[str, JsonValue] = {"floor": _rounded(least), "guardian": _rounded(ours)}
    return Result(NAME, method, figures, {**runs, "median": middle(ours)})


async def _flip(door: Door, targets: Targets, name: str, flips: int) -> list[float]:
    """Seconds from each flip to the message about it.

    The moment is random within one of `flips` equal parts of the interval, each part once, counted from a
    request: by pure chance alone two medians of forty would often differ by a fifth.
    """
    parts = list(range(flips))
    random.shuffle(parts)
    took: list[float] = []
    for part in parts:
        if took:
            await asyncio.sleep(_REST)
        asked = await targets.next_request(name)
        phase = INTERVAL * (part + random.random()) / flips  # noqa: S311 - spreads the flips, guards nothing
        await asyncio.sleep(max(0.0, asked + phase - time.monotonic()))
        seen = len(door.arrivals)
        began = time.monotonic()
        targets.bad.add(name)
        took.append(await _card(door, name, seen) - began)
        targets.bad.discard(name)
    return took


async def _card(door: Door, name: str, seen: int) -> float:
    """The moment of the first post about `name` after the first `seen` arrivals."""

    def moments() -> list[float]:
        return [
            each.at
            for each in door.arrivals[seen:]
            if each.method == "chat.postMessage" and name in each.text
        ]

    await door.until(lambda: bool(moments()))
    return moments()[0]


def _settings(url: str) -> dict[str, JsonValue]:
    settings = quiet_machine()
    rule: JsonValue = {"confirm": 1, "confirm_critical": 1, "clear": 1, "reopen": 0}
    target: JsonValue = {"name": "watched", "url": url}
    return {
        **settings,
        "rules": {"reachable": rule},
        "probes": {"http": {"interval": INTERVAL, "targets": [target]}},
    }


def _rounded(values: list[float]) -> list[JsonValue]:
    return [round(value, 4) for value in values]
