"""Alert levels and the state of the whole system, as the source document names them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Level(IntEnum):
    """How bad an alert is; larger is worse. The five levels of the source document."""

    INFO = 1
    WARNING = 2
    ERROR = 3
    CRITICAL = 4
    EMERGENCY = 5

    @property
    def word(self) -> str:
        """The name used in configuration, templates and the database."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Level:
        """The level with that name; ValueError if there is none."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(word) from None


class SystemState(StrEnum):
    """The safety level of the system as a whole (`safety_levels` in the source document)."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    BLACK = "black"


_STATE_OF = {
    Level.INFO: SystemState.GREEN,
    Level.WARNING: SystemState.YELLOW,
    Level.ERROR: SystemState.ORANGE,
    Level.CRITICAL: SystemState.RED,
    Level.EMERGENCY: SystemState.BLACK,
}


def system_state(open_levels: Iterable[Level]) -> SystemState:
    """The state that the highest open level puts the system in; green when nothing is open."""
    highest = max(open_levels, default=None)
    return SystemState.GREEN if highest is None else _STATE_OF[highest]
