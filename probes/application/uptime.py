"""How often a target answered as expected, over a window of checks."""

from __future__ import annotations


class Uptime:
    """The share of good checks among the last `window`.

    No share is told before the window is full: 99.9 % (the source document's target) is one bad check in a
    thousand, so fewer than 1,000 checks cannot tell it from 99.5 % or from 100 %. Nothing is kept across
    a restart: the window fills anew.
    """

    __slots__ = ("_checks", "_good", "_next", "_results")

    def __init__(self, window: int = 1000) -> None:
        if window < 1:
            raise ValueError("a window needs at least one check")
        self._results = bytearray(window)
        self._next = 0
        self._checks = 0
        self._good = 0

    def add(self, good: bool) -> None:
        """Count one more check; the oldest leaves a full window."""
        self._good += good - self._results[self._next]
        self._results[self._next] = good
        self._next = (self._next + 1) % len(self._results)
        self._checks = min(self._checks + 1, len(self._results))

    @property
    def percent(self) -> float | None:
        """Good checks in percent of the window; None until the window is full."""
        if self._checks < len(self._results):
            return None
        return 100 * self._good / len(self._results)
