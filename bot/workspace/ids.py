"""Ids and time stamps as Slack forms them."""

from __future__ import annotations

import secrets
import string
import time

_ALPHABET = string.ascii_uppercase + string.digits


def new_id(prefix: str, length: int = 10) -> str:
    """A random id such as `C0A1B2C3D4E`: the prefix, a zero and `length - 1` letters and digits."""
    return prefix + "0" + "".join(secrets.choice(_ALPHABET) for _ in range(length - 1))


def short_id() -> str:
    """Five random characters, what Slack gives a block or element that came without an id."""
    return secrets.token_urlsafe(4)[:5]


def now() -> float:
    """Unix time in seconds."""
    return time.time()


class Stamps:
    """Message time stamps, each later than all before."""

    def __init__(self, last: str = "0") -> None:
        self._last = stamp_to_micros(last)

    def next(self) -> str:
        """The present moment, or just after the last stamp when the clock stands still or went back."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


def stamp_to_micros(ts: str) -> int:
    """A time stamp as a whole number of microseconds, for comparing. Raises ValueError on nonsense."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int((fraction + "000000")[:6])
