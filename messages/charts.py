"""Draws the chart on an alert's card. Imports matplotlib, 60 MB: only the chart worker may import this.

A dark panel of its own, so that it reads the same in Slack's light and dark themes; large letters, because
Slack shows it at about half its size.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from zoneinfo import ZoneInfo

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from messages.blocks import COLORS
from messages.chart_facts import ChartFacts
from messages.chart_frame import Frame, frame_of
from messages.chart_scales import spread
from messages.chart_text import DPI, Pen, points, writable
from messages.formats import parse_moment
from messages.render import Voice

WIDTH, HEIGHT = 1000, 320
"""pixels"""
BOTTOM, TOP = 50, 228
"""the lower and the upper edge of the plot, in pixels from below"""
PANEL = "#1b212c"

_GRID = "#303a4a"
_TEXT = "#eef2f8"
_QUIET = "#a9b4c4"
_LINE = "#7cc7ff"
_OVER = "#66bb6a"
_DARK_LETTERS = frozenset({"warning", "error"})
"""levels whose colour is too light for white letters"""

_EDGE = 24
_SMALL, _LARGE = 21, 27
"""sizes of letters"""
_PILL = 33
"""height of a label with a ground of its own"""
_LEAD = 18
"""from the plot to those labels"""
_HEAD_Y, _STRIP_Y, _AXIS_Y = 290, 251, 25
"""the middles of the heading, of the strip above the plot and of the times below it"""


def render(facts: ChartFacts) -> bytes | None:
    """The chart as a PNG of `WIDTH` by `HEIGHT` pixels; None when there is not one value to draw.

    Raises ValueError for malformed moments and `messages.chart_text.FontMissing`.
    """
    frame = frame_of(facts)
    if frame is None:
        return None
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=PANEL)
    FigureCanvasAgg(figure)  # takes its place in the figure, which can measure texts then
    _Chart(Pen(figure), frame, facts).draw()
    drawn = BytesIO()
    figure.savefig(drawn, format="png")
    return _smaller(drawn)


def _smaller(drawn: BytesIO) -> bytes:
    """The picture in its 256 commonest colours, which takes a third of the size.

    Each other colour becomes the nearest of them. Pillow's own way there is not exact, and the levels'
    colours must be.
    """
    with Image.open(drawn) as opened:
        parts = np.asarray(opened.convert("RGB")).reshape(-1, 3)
    packed = parts.astype(np.int32) @ (1 << 16, 1 << 8, 1)
    _, first, places, counts = np.unique(packed, return_index=True, return_inverse=True, return_counts=True)
    colors = parts[first]
    palette = colors[np.argsort(-counts, kind="stable")[:256]]
    apart = colors[:, np.newaxis, :].astype(np.int32) - palette[np.newaxis, :, :]
    nearest = (apart**2).sum(axis=2).argmin(axis=1).astype(np.uint8)
    picture = Image.frombytes("P", (WIDTH, HEIGHT), nearest[places].tobytes())
    picture.putpalette(palette.tobytes())
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


@lru_cache(maxsize=8)
def _voice(language: str, timezone: str) -> Voice:
    return Voice(language, ZoneInfo(timezone))


class _Chart:
    """One chart on one panel."""

    def __init__(self, pen: Pen, frame: Frame, facts: ChartFacts) -> None:
        self._pen = pen
        self._frame = frame
        self._facts = facts
        self._voice = _voice(facts.language, facts.timezone)
        self._ticks = self._tick_labels()
        self._pills = [
            (level, value, self._say("bound", level=level, value=value)) for level, value in frame.bounds
        ]
        self._left = _EDGE + 12 + max((pen.width(label, _SMALL) for _, label in self._ticks), default=0)
        self._pill = max((pen.pill_width(label, _SMALL) for _, _, label in self._pills), default=-_LEAD)
        self._right = WIDTH - _EDGE - _LEAD - self._pill
        self._axes = pen.figure.add_axes(
            (
                self._left / WIDTH,
                BOTTOM / HEIGHT,
                (self._right - self._left) / WIDTH,
                (TOP - BOTTOM) / HEIGHT,
            ),
            xlim=(frame.start, frame.end),
            ylim=(frame.low, frame.high),
            facecolor=PANEL,
        )
        self._axes.set_axis_off()

    def draw(self) -> None:
        """Draw all of it, what lies below first."""
        self._heading()
        self._scales()
        self._bounds()
        self._gaps()
        self._future()
        self._marks()
        self._values()

    def _say(self, phrase: str, **values: object) -> str:
        told = {"unit": self._facts.unit, "metric": self._facts.metric, **values}
        return writable(self._voice.phrase(f"charts.{phrase}", **told))

    def _x(self, moment: float) -> float:
        share = (moment - self._frame.start) / (self._frame.end - self._frame.start)
        return self._left + share * (self._right - self._left)

    def _y(self, value: float) -> float:
        return BOTTOM + (value - self._frame.low) / (self._frame.high - self._frame.low) * (TOP - BOTTOM)

    def _tick_labels(self) -> list[tuple[float, str]]:
        """The values beside the plot; as bare numbers where the unit's own form can't tell them apart."""
        ticks = self._frame.value_ticks
        labels = [self._say("amount", value=value) for value in ticks]
        if len(set(labels)) < len(labels):
            labels = [f"{value:g}" for value in ticks]
        return list(zip(ticks, labels, strict=True))

    def _heading(self) -> None:
        """What it is, and the latest value with its time."""
        at, value = self._frame.last
        right = float(WIDTH - _EDGE)
        amount = self._say("amount", value=value)
        self._pen.write(right, _HEAD_Y, amount, _LARGE, _TEXT, bold=True, align="right")
        right -= self._pen.width(amount, _LARGE, bold=True) + 12
        clock = parse_moment(self._facts.points[-1][0]).fromtimestamp(at, ZoneInfo(self._facts.timezone))
        time = clock.strftime("%H:%M")
        self._pen.write(right, _HEAD_Y - 1, time, _SMALL, _QUIET, align="right")
        right -= self._pen.width(time, _SMALL) + 24
        title = self._pen.fitting(writable(self._facts.title), _LARGE, right - _EDGE, bold=True)
        self._pen.write(_EDGE, _HEAD_Y, title, _LARGE, _TEXT, bold=True)

    def _scales(self) -> None:
        for value, label in self._ticks:
            self._axes.axhline(value, color=_GRID, linewidth=points(1), zorder=1)
            self._pen.write(self._left - 12, self._y(value), label, _SMALL, _QUIET, align="right")
        zone = (
            parse_moment(self._facts.points[-1][0]).astimezone(ZoneInfo(self._facts.timezone)).tzname() or ""
        )
        self._pen.write(WIDTH - _EDGE, _AXIS_Y, zone, _SMALL, _QUIET, align="right")
        edge = WIDTH - _EDGE - self._pen.width(zone, _SMALL) - 16
        for moment, label in self._frame.time_ticks:
            half = self._pen.width(label, _SMALL) / 2
            x = self._x(moment)
            if x - half >= _EDGE / 2 and x + half <= edge:
                self._pen.write(x, _AXIS_Y, label, _SMALL, _QUIET, align="center")
                self._pen.line((x, x), (BOTTOM - 6, BOTTOM), _GRID, 2)

    def _bounds(self) -> None:
        """A line and a tint for each level, and its word at the right edge with a line that leads to it."""
        heights = [self._y(value) for _, value, _ in self._pills]
        places = spread(heights, [_PILL + 3.0] * len(heights), BOTTOM - 8, TOP + 16)
        worst = self._frame.high if self._facts.rising else self._frame.low
        for index, (level, value, label) in enumerate(self._pills):
            color = COLORS[level]
            beyond = self._frame.bounds[index + 1][1] if index + 1 < len(self._pills) else worst
            self._axes.axhspan(value, beyond, color=color, alpha=0.13, linewidth=0, zorder=0.5)
            self._axes.axhline(value, color=color, linewidth=points(3), zorder=2)
            x = self._right + _LEAD
            self._pen.line((self._right, x + 6), (heights[index], places[index]), color, 3)
            letters = PANEL if level in _DARK_LETTERS else "white"
            self._pen.write(x, places[index], label, _SMALL, letters, bold=True, ground=(color, self._pill))

    def _gaps(self) -> None:
        """A grey ground where nothing was measured, with its word where there is room for it."""
        label = self._say("no_data")
        for start, end in self._frame.gaps:
            self._axes.axvspan(start, end, color=_QUIET, alpha=0.12, linewidth=0, zorder=0.6)
            if self._x(end) - self._x(start) > self._pen.width(label, _SMALL) + 16:
                middle = (self._x(start) + self._x(end)) / 2
                self._pen.write(middle, BOTTOM + 20, label, _SMALL, _QUIET, align="center")

    def _future(self) -> None:
        if self._frame.forecast:
            moments, values = zip(*self._frame.forecast, strict=True)
            self._axes.plot(
                moments,
                values,
                color=_TEXT,
                linewidth=points(3),
                linestyle=(0, (3, 2)),
                zorder=3,
                clip_on=False,
            )

    def _marks(self) -> None:
        """Lines for when it fired and when it was over, and the words above them, beside one another."""
        marks = [("fired", self._frame.fired, _TEXT), ("resolved", self._frame.resolved, _OVER)]
        words = []
        for name, moment, color in marks:
            if moment is not None:
                x = self._x(moment)
                self._pen.line((x, x), (BOTTOM, TOP + 6), color, 2, above=name == "resolved")
                words.append((x, self._say(name), _TEXT))
        if self._frame.forecast:
            middle = (self._x(self._frame.forecast[0][0]) + self._right) / 2
            words.append((middle, self._say("forecast"), _QUIET))
        sizes = [self._pen.width(label, _SMALL) + 16 for _, label, _ in words]
        places = spread([x for x, _, _ in words], sizes, self._left - 8, WIDTH - _EDGE + 8)
        for x, (_, label, color) in zip(places, words, strict=True):
            self._pen.write(x, _STRIP_Y, label, _SMALL, color, align="center")

    def _values(self) -> None:
        for line in self._frame.lines:
            moments, values = zip(*line, strict=True)
            if self._facts.rising:  # else the tint of the levels is there
                self._axes.fill_between(
                    moments, values, self._frame.low, color=_LINE, alpha=0.12, linewidth=0, zorder=1.5
                )
            self._axes.plot(
                moments,
                values,
                color=_LINE,
                linewidth=points(3.5),
                solid_joinstyle="round",
                solid_capstyle="round",
                marker="o" if len(line) == 1 else None,
                markersize=points(7),
                markeredgewidth=0,
                zorder=3,
                clip_on=False,
            )
        self._axes.plot(
            *([each] for each in self._frame.last),
            marker="o",
            color=_TEXT,
            markersize=points(12),
            markeredgecolor=PANEL,
            markeredgewidth=points(2.5),
            zorder=4,
            clip_on=False,
        )
