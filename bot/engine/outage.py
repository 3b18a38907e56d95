"""A time in which Slack takes nothing of one bucket: what is known of it, and how long to wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

_PATIENCE = 30
"""Where nothing gets through, the next try comes after this part of the time that it has lasted."""


@dataclass(slots=True)
class Outage:
    """It lasts until what waited has gone out."""

    since: datetime
    detail: str
    blocked: str | None = None
    """the last failure, if people must mend it"""
    over_at: datetime | None = None
    sent: int = 0
    failing: set[str] = field(default_factory=set)
    """the streams that have failed since something got through"""
    failing_since: datetime | None = None

    @property
    def is_common(self) -> bool:
        """Whether it is not one letter that fails, but whatever is tried: then one finds out for all."""
        return len(self.failing) > 1

    def failed(self, stream: str, now: datetime) -> None:
        """A letter of that stream was not taken, which says something about the others."""
        if not self.failing:
            self.failing_since = now
        self.failing.add(stream)

    def pause(self, now: datetime) -> float:
        """Seconds until the next try: the longer the longer nothing has got through."""
        return (now - (self.failing_since or self.since)).total_seconds() / _PATIENCE
