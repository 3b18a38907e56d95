"""Numbers, sizes and times as people read them; pure functions without words of a language.

Percentages carry one decimal, two below 1 and from 99 to 100, where they matter (0.05 %, 99.87 %), and are
never rounded to 0 or 100 when they are not. Milliseconds stay milliseconds up to ten seconds, because the
bands are written in them; longer ones are seconds. Sizes are binary (KiB, MiB).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

_HEIGHTS = "▁▂▃▄▅▆▇█"
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def decimal(value: float, places: int) -> str:
    """`value` with at most that many decimals, without trailing zeros, with thousands separators."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if abs(value) >= 1e15:
        return f"{value:.3g}"
    text = f"{value:,.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def percent(value: float) -> str:
    """82 → `82%`, 0.05 → `0.05%`, 99.996 → `99.996%`."""
    places = 2 if abs(value) < 1 or 99 <= value < 100 else 1
    while places < 6 and value not in (0, 100) and decimal(value, places) in ("0", "100"):
        places += 1
    return decimal(value, places) + "%"


def size(value: float) -> str:
    """Bytes: 1536 → `1.5 KiB`, 812 → `812 B`."""
    if not math.isfinite(value):
        return f"{decimal(value, 0)} B"
    step = 0
    while abs(value) >= 1024 and step < len(_SIZES) - 1:
        value /= 1024
        step += 1
    return f"{decimal(value, 1 if step and abs(value) < 100 else 0)} {_SIZES[step]}"


def plain_number(value: float) -> str:
    """A count or a load: whole when it is whole, else up to two decimals."""
    return decimal(value, 2 if abs(value) < 100 else 1)


def spark(values: Sequence[float | None], beside: Sequence[float | None] = ()) -> str:
    """A chart the height of a line, from 0 to the greatest of `values` and `beside`, so that two drawn beside
    each other compare; a dot where nothing was measured."""
    known = [each for each in (*values, *beside) if each is not None and math.isfinite(each)]
    most = max(known, default=0.0)
    last = len(_HEIGHTS) - 1
    return "".join(
        "·"
        if each is None or not math.isfinite(each)
        else _HEIGHTS[round(last * max(0.0, each) / most) if most > 0 else 0]
        for each in values
    )


def duration_parts(seconds: float) -> list[tuple[int, str]]:
    """The two largest parts that are not zero: 192 → [(3, "minute"), (12, "second")]."""
    whole = round(seconds)
    parts: list[tuple[int, str]] = []
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, whole = divmod(whole, length)
        parts.append((count, unit))
    first = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return [part for part in parts[first : first + 2] if part[0]] or [(0, "second")]


def parse_moment(moment: str) -> datetime:
    """The moment of an ISO 8601 text; ValueError when it has no time zone."""
    at = datetime.fromisoformat(moment)
    if at.tzinfo is None:
        raise ValueError(f"{moment}: a moment needs a time zone")
    return at


def local_time(at: datetime, timezone: ZoneInfo) -> str:
    """`2025-08-20 14:03:05 KST`, in the configured time zone."""
    return at.astimezone(timezone).strftime("%Y-%m-%d %H:%M:%S %Z").rstrip()
