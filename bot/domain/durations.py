"""Durations as people write them: `15s`, `5m`, `500ms`, `1h30m`, or a number of seconds."""

from __future__ import annotations

import re
from datetime import timedelta

DURATION_PATTERN = r"^\s*(?:\d+(?:\.\d+)?\s*(?:ms|s|m|min|h|d)\s*)+$"
"""For editors (JSON Schema)."""

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d)\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str) -> timedelta:
    """The duration `text` names; ValueError if it names none or one beyond what timedelta holds."""
    rest = text.strip()
    if not rest:
        raise ValueError(text)
    seconds = 0.0
    at = 0
    while at < len(rest):
        match = _PART.match(rest, at)
        if match is None:
            raise ValueError(text)
        seconds += float(match[1]) * _SECONDS[match[2]]
        at = match.end()
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(text) from None


def format_duration(duration: timedelta) -> str:
    """`duration` in the same notation, exact to the millisecond: `1h30m`, `15s`, `500ms`."""
    left = round(duration.total_seconds() * 1000)
    if left <= 0:
        return "0s"
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
