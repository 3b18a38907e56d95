"""Bands: which level a value is in, written as the source document's KPI tables write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.levels import Level


@dataclass(frozen=True, slots=True)
class Band:
    """The values of one level. A bound that is None is open to that side.

    `low_inclusive` and `high_inclusive` say whether the bound itself belongs to the band: in the
    document's tables it belongs to the middle band (`"70-85%"`), so `"> 85%"` starts above 85.
    """

    low: float | None
    high: float | None
    low_inclusive: bool
    high_inclusive: bool
    text: str

    def __contains__(self, value: float) -> bool:
        if self.low is not None and (value < self.low or (value == self.low and not self.low_inclusive)):
            return False
        return self.high is None or value < self.high or (value == self.high and self.high_inclusive)


@dataclass(frozen=True, slots=True)
class Bands:
    """All bands of one metric. `target` is where nothing is wrong; `rising` means high is bad."""

    unit: str
    rising: bool
    target: Band
    levels: Mapping[Level, Band]

    def level_of(self, value: float) -> Level | None:
        """The worst level whose band holds `value`, or None inside the target band."""
        raise NotImplementedError

    def entry(self, level: Level) -> float:
        """The bound at which `level` begins, coming from the target band (the line drawn in charts)."""
        raise NotImplementedError

    def level_held(self, value: float, current: Level, margin: float) -> Level | None:
        """The level of `value` for an alert already at `current`: a level is left only once the value is
        more than `margin` beyond its entry bound, on the good side (hysteresis). Never above what
        `level_of` says for a rise; None once even the mildest band is left by the margin."""
        raise NotImplementedError
