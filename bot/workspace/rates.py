"""Rate limits: token buckets, and how long to wait when one is empty."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from bot.workspace.errors import SlackError
from bot.workspace.settings import RateLimits


@dataclass
class _Bucket:
    tokens: float
    at: float


class Limiter:
    """Takes one token a call. Raises SlackError `ratelimited` with the seconds until the next one."""

    def __init__(self, limits: RateLimits) -> None:
        self.limits = limits
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def post(self, app_id: str, channel_id: str) -> None:
        """One message into a channel."""
        if self.limits.posts_per_second is not None:
            key = ("post", app_id, channel_id)
            self._take(key, self.limits.posts_per_second, self.limits.post_burst)

    def call(self, app_id: str, method: str, tier: int) -> None:
        """One call of a method of a tier."""
        per_minute = self.limits.tiers.get(tier)
        if per_minute is not None:
            self._take(("call", app_id, method), per_minute / 60, per_minute)

    def schedule(self, app_id: str, channel_id: str) -> None:
        """One message scheduled for a channel. Raises SlackError `restricted_too_many`."""
        most = self.limits.scheduled_per_window
        if most is None:
            return
        try:
            self._take(("schedule", app_id, channel_id), most / 300, most)
        except SlackError as error:
            raise SlackError("restricted_too_many") from error

    def _take(self, key: tuple[str, ...], per_second: float, burst: float) -> None:
        moment = time.monotonic()
        bucket = self._buckets.setdefault(key, _Bucket(burst, moment))
        bucket.tokens = min(burst, bucket.tokens + (moment - bucket.at) * per_second)
        bucket.at = moment
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) / per_second
            raise SlackError("ratelimited", retry_after=max(1, math.ceil(wait)))
        bucket.tokens -= 1
