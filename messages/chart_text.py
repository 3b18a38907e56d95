"""Text on a chart: the fonts, how wide a text is, and what can be written with them at all.

Imports matplotlib, so only a process that draws may import it.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from messages.escape import ELLIPSIS, clean

DPI = 100
_POINT = 72 / DPI
"""points in a pixel"""
_MISSING = "?"
_ROOM = 0.5
"""room at each side of a text on a ground of its own, in parts of the letters' size"""
_CAPITAL = 0.72
"""height of a capital letter, in the same"""


class FontMissing(Exception):
    """The Korean font is not installed."""


def font_files() -> tuple[Path, Path]:
    """NanumGothic, regular and bold, from the package koreanize_matplotlib; raises `FontMissing`.

    The package is only looked for: importing it would change matplotlib's settings.
    """
    package = find_spec("koreanize_matplotlib")
    if package is None or package.origin is None:
        raise FontMissing("koreanize_matplotlib")
    folder = Path(package.origin).parent / "fonts"
    files = (folder / "NanumGothic.ttf", folder / "NanumGothicBold.ttf")
    for file in files:
        if not file.is_file():
            raise FontMissing(file.name)
    return files


@cache
def _letters() -> frozenset[int]:
    """Every letter that can be written, regular and bold."""
    regular, bold = (get_font(str(file)).get_charmap() for file in font_files())
    return frozenset(regular) & frozenset(bold)


@cache
def font(pixels: int, *, bold: bool = False) -> FontProperties:
    """The font at that size."""
    return FontProperties(fname=str(font_files()[bold]), size=points(pixels))


def points(pixels: float) -> float:
    """What matplotlib calls so many pixels."""
    return pixels * _POINT


def writable(text: str) -> str:
    """`text` on one line. A letter that the font does not have loses its accents, or is a `?`."""
    known = _letters()
    letters = []
    for letter in clean(text):
        if ord(letter) not in known:
            plain = unicodedata.normalize("NFKD", letter)[:1]
            letter = plain if plain and ord(plain) in known else _MISSING
        letters.append(letter)
    return "".join(letters)


class Pen:
    """Writes and draws on a figure in pixels, from its lower left corner."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self._width, self._height = figure.bbox.width, figure.bbox.height

    def width(self, text: str, size: int, *, bold: bool = False) -> float:
        """How wide the text is, in pixels."""
        written = Text(0, 0, text, fontproperties=font(size, bold=bold), parse_math=False)
        written.set_figure(self.figure)
        return float(written.get_window_extent().width)

    def pill_width(self, text: str, size: int) -> float:
        """How wide a bold text with a ground of its own is, in pixels."""
        return self.width(text, size, bold=True) + 2 * _ROOM * size

    def fitting(self, text: str, size: int, room: float, *, bold: bool = False) -> str:
        """The text, or as much of its beginning as fits into that many pixels, with an ellipsis."""
        if self.width(text, size, bold=bold) <= room:
            return text
        shortest, longest = 0, len(text)
        while shortest < longest:
            middle = (shortest + longest + 1) // 2
            if self.width(text[:middle].rstrip() + ELLIPSIS, size, bold=bold) <= room:
                shortest = middle
            else:
                longest = middle - 1
        return text[:shortest].rstrip() + ELLIPSIS

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: int,
        color: str,
        *,
        bold: bool = False,
        align: Literal["left", "center", "right"] = "left",
        ground: tuple[str, float] | None = None,
    ) -> None:
        """Write a text that begins, ends or has its middle at `x`, its small letters' middle at `y`; with
        `ground` on a rounded ground of that colour and width that begins at `x`."""
        if ground is not None:
            x += _ROOM * size
        self.figure.text(
            x / self._width,
            (y - _CAPITAL * size / 2) / self._height,
            text,
            color=color,
            fontproperties=font(size, bold=bold),
            horizontalalignment=align,
            verticalalignment="baseline",
            parse_math=False,
            zorder=6,
        )
        if ground is not None:
            color, width = ground
            height = 1.5 * size
            self.figure.add_artist(
                FancyBboxPatch(
                    (x - _ROOM * size, y - height / 2),
                    width,
                    height,
                    boxstyle="round,pad=0,rounding_size=6",
                    facecolor=color,
                    edgecolor="none",
                    transform=None,
                    zorder=5,
                )
            )

    def line(
        self, x: tuple[float, float], y: tuple[float, float], color: str, width: float, *, above: bool = False
    ) -> None:
        """A straight line from the first x and y to the second."""
        self.figure.add_artist(
            Line2D(x, y, color=color, linewidth=points(width), transform=None, zorder=4.5 if above else 0.5)
        )
