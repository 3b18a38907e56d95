"""Figures: what was measured beside its floor, the ratio, and whether the aim is met."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from pydantic import JsonValue

HEADINGS = ("what", "unit", "floor", "Guardian", "ratio", "aim", "met")
PEER = "Alertmanager"
"""another program of the same trade"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. Of `at_most_ratio` (times the floor), `at_most` and `at_least` (in `unit`) one
    may be given; without any the figure is there for information. `peer`: PEER's, where it has one; infinite
    for what it has not done at all."""

    what: str
    unit: str
    floor: float
    guardian: float
    at_most_ratio: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    peer: float | None = None

    @property
    def ratio(self) -> float:
        """Guardian's figure over the floor's; NaN without a floor."""
        return self.guardian / self.floor if self.floor > 0 else math.nan

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None when there is none."""
        if self.at_most_ratio is not None:
            return self.ratio <= self.at_most_ratio
        if self.at_least is not None:
            return self.guardian >= self.at_least
        return None if self.at_most is None else self.guardian < self.at_most

    @property
    def aim(self) -> str:
        """The aim in words."""
        if self.at_most_ratio is not None:
            return f"≤ {self.at_most_ratio:g} × floor"
        if self.at_least is not None:
            return f"≥ {self.at_least:,.0f} {self.unit}"
        return "" if self.at_most is None else f"< {self.at_most:g} {self.unit}"

    def cells(self, *, with_peer: bool = False) -> tuple[str, ...]:
        """The line's cells, in the order of HEADINGS; `with_peer`: the peer's figure behind the floor's."""
        met = {None: "", True: "yes", False: "NO"}[self.met]
        ratio = "" if math.isnan(self.ratio) else f"{self.ratio:.2f}"
        peer = (_number(self.peer),) if with_peer else ()
        return self.what, self.unit, f"{self.floor:.2f}", *peer, f"{self.guardian:.2f}", ratio, self.aim, met

    def as_json(self) -> dict[str, JsonValue]:
        """All of it, for a file."""
        return {
            "what": self.what,
            "unit": self.unit,
            "floor": self.floor,
            "guardian": self.guardian,
            "peer": self.peer if self.peer is None or math.isfinite(self.peer) else "never",
            "ratio": None if math.isnan(self.ratio) else self.ratio,
            "aim": self.aim,
            "met": self.met,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What one bench gave: its figures, how they were taken, and the single runs behind them."""

    name: str
    method: str
    figures: Sequence[Figure]
    runs: dict[str, JsonValue] = field(default_factory=dict)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of all are not above (nearest rank). ValueError without values."""
    if not values:
        raise ValueError("no values were measured")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def middle(values: Sequence[float]) -> float:
    """The median. ValueError without values."""
    if not values:
        raise ValueError("no values were measured")
    return float(median(values))


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table with aligned columns, with one for the peer if it has any figure."""
    with_peer = any(figure.peer is not None for figure in figures)
    headings = (*HEADINGS[:3], PEER, *HEADINGS[3:]) if with_peer else HEADINGS
    rows = [headings, *(figure.cells(with_peer=with_peer) for figure in figures)]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(headings))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if math.isfinite(value) else "never"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
    return "| " + " | ".join(cells) + " |"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
