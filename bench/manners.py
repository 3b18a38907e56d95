"""What Slack's door refuses, and when."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Protocol

_POSTS = ("chat.postMessage", "chat.update")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no "yes". `taken`: the message has arrived all the same."""

    status: int
    error: str
    retry_after: int | None = None
    taken: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class Manners(Protocol):
    """How the door treats those who knock. Moments are monotonic seconds."""

    def refusal(self, at: float, method: str, channel: str) -> Refusal | None:
        """Why a call is refused; None if it is taken."""
        ...


class TakesAll:
    """A Slack that takes everything."""

    def refusal(self, at: float, method: str, channel: str) -> Refusal | None:
        """Never."""
        return None


@dataclass(slots=True)
class OneASecond:
    """One message a second and channel, and 429 for what comes before that is over."""

    _free_at: dict[str, float] = field(default_factory=dict)

    def refusal(self, at: float, method: str, channel: str) -> Refusal | None:
        """A message that comes too early; edits have their own allowance, which is never used up here."""
        if method != "chat.postMessage":
            return None
        free_at = self._free_at.get(channel, at)
        # One that comes a little early has only been quicker on its way than the one before.
        if at < free_at - 0.1:
            return Refusal(429, "ratelimited", max(1, math.ceil(free_at - at)))
        self._free_at[channel] = max(at, free_at) + 1.0
        return None


@dataclass(slots=True)
class Paused:
    """429 for `seconds` from the making on, with what is left of them as Retry-After."""

    seconds: float
    began_at: float = field(default_factory=time.monotonic)

    @property
    def ends_at(self) -> float:
        """When messages are taken again."""
        return self.began_at + self.seconds

    def refusal(self, at: float, method: str, channel: str) -> Refusal | None:
        """A message or an edit before the end."""
        if at >= self.ends_at or method not in _POSTS:
            return None
        return Refusal(429, "ratelimited", max(1, math.ceil(self.ends_at - at)))


@dataclass(slots=True)
class Failing:
    """500 for `seconds` from the making on; every other message arrives all the same."""

    seconds: float
    began_at: float = field(default_factory=time.monotonic)
    _failed: int = 0

    @property
    def ends_at(self) -> float:
        """When it works again."""
        return self.began_at + self.seconds

    def refusal(self, at: float, method: str, channel: str) -> Refusal | None:
        """Whatever it is, before the end."""
        if at >= self.ends_at:
            return None
        if method in _POSTS:
            self._failed += 1
        return Refusal(500, "internal_error", taken=self._failed % 2 == 0)
