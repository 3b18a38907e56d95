"""One allowance of Slack's: a channel's posts, or all edits. Who is next, and may it go now?"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

EDITS = "edits"
"""The bucket of all edits; the others are named after their channels."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How fast a bucket may send: `per_second` on average, `burst` at once."""

    per_second: float
    burst: int


class Bucket:
    """A priority queue of streams with a token bucket in front. Time comes in as monotonic seconds."""

    def __init__(self, name: str, allowance: Allowance) -> None:
        self.name = name
        self.under_way = 0
        """how many of its letters are just being sent; whoever sends them counts"""
        self._allowance = allowance
        self._heap: list[tuple[int, int, str]] = []
        self._places: dict[str, tuple[int, int]] = {}
        """the place of each stream that waits; the heap may hold earlier ones, which no longer count"""
        self._tokens = float(allowance.burst)
        self._filled_at: float | None = None
        self._paused_until = 0.0

    def __len__(self) -> int:
        return len(self._places)

    def add(self, priority: int, letter_id: int, stream: str) -> None:
        """Queue a stream whose oldest letter belongs here, or give it another place."""
        self._places[stream] = (priority, letter_id)
        heapq.heappush(self._heap, (priority, letter_id, stream))

    def pause(self, now: float, seconds: float) -> None:
        """Send nothing for a while: the other side asked for it."""
        self._paused_until = max(self._paused_until, now + seconds)

    def refused(self, now: float, seconds: float) -> None:
        """The other side has had enough: a pause of so many seconds, in which the allowance fills anew from
        nothing. A burst that went too far must not be followed by another one."""
        self.pause(now, seconds)
        self._tokens = 0.0
        self._filled_at = now

    def wait(self, now: float) -> float | None:
        """Seconds until the next may go: 0 for at once, None when nobody waits."""
        if not self._places:
            return None
        self._fill(now)
        paused = self._paused_until - now
        lacking = (1 - self._tokens) / self._allowance.per_second
        return max(0.0, paused, lacking)

    def take(self) -> tuple[int, str]:
        """The stream to send from, by priority and then by age, with the letter it was queued for."""
        while True:
            priority, letter_id, stream = heapq.heappop(self._heap)
            if self._places.get(stream) == (priority, letter_id):
                del self._places[stream]
                return letter_id, stream

    def spend(self) -> None:
        """Something goes out; call it only when `wait` gives 0."""
        self._tokens -= 1

    def refund(self) -> None:
        """What went out was not taken: it does not count."""
        self._tokens = min(float(self._allowance.burst), self._tokens + 1)

    def _fill(self, now: float) -> None:
        if self._filled_at is not None:
            gained = (now - self._filled_at) * self._allowance.per_second
            self._tokens = min(float(self._allowance.burst), self._tokens + gained)
        self._filled_at = now
