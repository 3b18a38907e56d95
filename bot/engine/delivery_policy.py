"""How hard the outbox tries."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta

from bot.engine.bucket import Allowance


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How hard the outbox tries; the defaults are those of the design's section Delivery.

    Slack takes about one post a second and channel with short bursts, and fifty edits a minute. How long a
    burst may be it says itself, with 429: then there is none for a while.
    """

    posts: Allowance = field(default_factory=lambda: Allowance(per_second=1.0, burst=20))
    edits: Allowance = field(default_factory=lambda: Allowance(per_second=50 / 60, burst=10))
    first_retry: float = 1.0
    longest_retry: float = 60.0
    give_up_after: timedelta = timedelta(hours=24)
    lease: timedelta = timedelta(seconds=60)
    late_after: timedelta = timedelta(seconds=60)
    """an outage at least this long is told afterwards"""
    at_once: int = 3
    """letters of one bucket under way at the same time"""

    def rest_after(self, failures: int) -> float:
        """Seconds until a letter that has failed so often is tried again."""
        longest = min(self.longest_retry, self.first_retry * 2.0 ** min(failures - 1, 16))
        # Half of it fixed, half by chance, so that many streams don't come back at the same instant.
        return longest / 2 + random.uniform(0, longest / 2)  # noqa: S311 - spreads load, guards no secret

    def within(self, seconds: float) -> float:
        """That many seconds, or as many of them as there may be between two tries."""
        return min(max(seconds, self.first_retry), self.longest_retry)
