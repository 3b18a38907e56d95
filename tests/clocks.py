"""The clock on the wall, which somebody sets."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.engine.clock import utc_now


class WallClock:
    """Goes as the real one does, but for what it was set by."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        """What it shows."""
        return utc_now() + self.ahead

    def forward(self, **by: float) -> None:
        """Set it forward: as if so much time had passed since the last look."""
        self.ahead += timedelta(**by)

    def back(self, **by: float) -> None:
        """Set it back."""
        self.ahead -= timedelta(**by)
