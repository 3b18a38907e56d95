"""How many requests a second the trial's visitors send: fewer while the machine is busy."""

from __future__ import annotations

from dataclasses import dataclass

USUAL, FEWEST = 30.0, 5.0
"""requests a second"""
_LATE = 0.1
"""seconds that somebody who sleeps is woken too late where processors are short"""
_LESS, _MORE = 0.5, 1.01


@dataclass(frozen=True, slots=True)
class Pace:
    """So many requests a second."""

    rate: float = USUAL

    def after(self, late: float) -> Pace:
        """The pace after a visitor who was woken that many seconds too late: half when the machine is busy,
        and slowly up again when it is not."""
        if late > _LATE:
            return Pace(max(FEWEST, self.rate * _LESS))
        return Pace(min(USUAL, self.rate * _MORE))
