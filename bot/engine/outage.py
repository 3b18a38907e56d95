"""Times in which Slack takes nothing of a bucket: what is known of each, and how long to wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from bot.engine.bucket import EDITS
from bot.engine.delivery import Blocked, DeliveryFailed, Temporary

log = structlog.get_logger(__name__)

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


class Outages:
    """The outages that there are, one of a bucket at the most."""

    def __init__(self, on_blocked: Callable[[str, str], None]) -> None:
        """`on_blocked` is given channel and problem when people must mend something there."""
        self._on_blocked = on_blocked
        self._of: dict[str, Outage] = {}

    @property
    def details(self) -> Mapping[str, str]:
        """The last failure of each bucket that is failing now."""
        return {name: outage.detail for name, outage in self._of.items() if outage.over_at is None}

    def is_common(self, bucket: str) -> bool:
        """Whether whatever is tried of that bucket fails."""
        outage = self._of.get(bucket)
        return outage is not None and outage.is_common

    def failed(self, bucket: str, stream: str, error: DeliveryFailed, now: datetime) -> Outage:
        """A letter of that stream was not taken: the outage that this belongs to."""
        outage = self._of.get(bucket)
        if outage is None:
            log.warning("slack_does_not_take_letters", bucket=bucket, detail=error.detail)
            outage = self._of[bucket] = Outage(now, error.detail)
        if not _is_its_own(error, bucket):
            outage.failed(stream, now)
        told = outage.blocked
        outage.detail, outage.over_at = error.detail, None
        outage.blocked = error.detail if isinstance(error, Blocked) else None
        if outage.blocked is not None and outage.blocked != told and bucket != EDITS:
            self._on_blocked(bucket, outage.blocked)
        return outage

    def answered(self, bucket: str, now: datetime) -> bool:
        """A letter of that bucket was taken, or refused for good; whether others have failed until now, who
        can be tried again."""
        outage = self._of.get(bucket)
        if outage is None:
            return False
        if outage.over_at is None:
            log.info("slack_takes_letters_again", bucket=bucket)
            outage.over_at = now
        outage.sent += 1
        had_failed = bool(outage.failing)
        outage.failing.clear()
        return had_failed

    def caught_up(self, bucket: str) -> Outage | None:
        """Nothing of that bucket waits any more: the outage that is over with that, if there is one."""
        outage = self._of.get(bucket)
        if outage is None or outage.over_at is None:
            return None
        return self._of.pop(bucket)


def _is_its_own(error: DeliveryFailed, bucket: str) -> bool:
    """Whether a failure says nothing about the others: that there were too many is no outage, and edits go to
    many channels."""
    if isinstance(error, Temporary) and error.retry_after is not None:
        return True
    return isinstance(error, Blocked) and bucket == EDITS
