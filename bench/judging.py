"""How many readings a second the alert machine judges, on one core and without I/O."""

from __future__ import annotations

from pydantic import JsonValue

from bench.figures import Figure, Result, middle
from bench.program import told_by

NAME = "judging"
AIM = 100_000.0


async def measure(quick: bool) -> Result:
    """`step` over many series, most of them good, beside a function that only counts what is over a bound."""
    count, keys, repetitions = (20_000, 1_000, 1) if quick else (1_000_000, 10_000, 3)
    floor: list[float] = []
    ours: list[float] = []
    about: dict[str, JsonValue] = {}
    for _ in range(repetitions):
        for module, rates in (("floors.in_a_row", floor), ("parts.stepping", ours)):
            told = await told_by(["-m", f"bench.{module}", str(count), str(keys)])
            rates += told["a_second"]
            about.update({f"{module} {name}": round(value[0]) for name, value in told.items()})
    figures = [
        Figure("readings judged a second, one core", "1/s", middle(floor), middle(ours), at_least=AIM),
    ]
    method = f"{count:,} readings of {keys:,} series, by turns, medians of {repetitions}"
    return Result(NAME, method, figures, {"floor": [*floor], "guardian": [*ours], **about})
