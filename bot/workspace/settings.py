"""The figures that a caller may change: how long things last and how fast they may come."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Timings:
    """Durations in seconds, as Slack has them."""

    acknowledgement: float = 3.0
    trigger: float = 3.0
    response_url: float = 1800.0
    retries: tuple[float, ...] = (1.0, 60.0, 300.0)
    """waits before an event is delivered again"""
    disconnect_warning: float = 10.0
    presence: float = 60.0
    """for how long someone who did something counts as online without a page"""
    edit_window: float | None = None
    """for how long a message can be edited; None for ever"""
    file_processing: float = 1.0
    """for how long after its upload a file can't be shown in a block yet; Slack says no more than "a few
    moments\""""
    socket_ticket: float = 30.0
    """for how long the address of `apps.connections.open` may be used"""


@dataclass(frozen=True)
class RateLimits:
    """How often methods may be called. None is without limit."""

    posts_per_second: float | None = 1.0
    """per channel"""
    post_burst: int = 5
    tiers: dict[int, int | None] = field(default_factory=lambda: {1: 1, 2: 20, 3: 50, 4: 100})
    """calls a minute by Slack's tier; a tier's bucket starts full"""
    scheduled_per_window: int | None = 30
    """`chat.scheduleMessage` per channel and five minutes"""

    def unlimited(self) -> RateLimits:
        """The same, but all that can be called is taken."""
        return replace(
            self, posts_per_second=None, tiers=dict.fromkeys(self.tiers), scheduled_per_window=None
        )


UNLIMITED = RateLimits().unlimited()
