"""The clock, as a value that can be handed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


class StepsBack:
    """Notices when somebody sets the clock back, by a clock that nobody sets."""

    def __init__(self, least: timedelta) -> None:
        """A step smaller than `least` is none."""
        self._least = least
        self._ahead: float | None = None

    def since_last(self, now: datetime, monotonic: float) -> timedelta | None:
        """By how much the clock was set since the last look, a negative time; None if it was not set back.
        `monotonic` are seconds of the clock that nobody sets."""
        before, self._ahead = self._ahead, now.timestamp() - monotonic
        step = timedelta(0) if before is None else timedelta(seconds=self._ahead - before)
        if step >= -self._least:
            return None
        log.warning("clock_stepped_back", seconds=round(-step.total_seconds(), 3))
        return step
