"""Bands: which level a value is in, written as the source document's KPI tables write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.levels import Level

_POINTS = 5.0
"""Default margin of percentages, in points (alerts.md, "State")."""
_SHARE = 0.05
"""Default margin of everything else, as a share of the bound at which the mildest level begins."""
_ROOM_SHARE = 0.2
"""Of the room between that bound and the best percentage there is, a margin takes at most this much:
five points under an error rate of 0.1 % or over an uptime of 99.9 % could never be reached."""


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
    """All bands of one metric. `target` is where nothing is wrong; `rising` means high is bad.

    Made by `bot.domain.band_notation.parse_bands`, which sees to it that every value is in exactly one band.
    Bounds are in the metric's own unit, `unit`, whatever unit the texts are written in.
    """

    unit: str
    rising: bool
    target: Band
    levels: Mapping[Level, Band]

    def level_of(self, value: float) -> Level | None:
        """The worst level whose band holds `value`, or None inside the target band."""
        if value in self.target:
            return None  # every value is in one band, and most are in this one
        return max((level for level, band in self.levels.items() if value in band), default=None)

    def band_of(self, value: float) -> Band:
        """The band that holds `value`, the target band included."""
        level = self.level_of(value)
        return self.target if level is None else self.levels[level]

    def entry(self, level: Level) -> float:
        """The bound at which `level` begins, coming from the target band (the line drawn in charts).

        KeyError if these bands don't have that level.
        """
        band = self.levels[level]
        bound = band.low if self.rising else band.high
        if bound is None:
            raise ValueError(f"{band.text}: a level has a bound on the good side")
        return bound

    def level_held(self, value: float, current: Level, margin: float) -> Level | None:
        """The level of `value` for an alert already at `current`: a level is left only once the value is
        more than `margin` beyond its entry bound, on the good side (hysteresis). Never above what
        `level_of` says for a rise; None once even the mildest band is left by the margin.

        A bound that isn't part of its level (85 in `"> 85%"`) is left by exactly the margin; a margin of 0
        gives what `level_of` gives. The answer is always a level these bands have.
        """
        level = self.level_of(value)
        if level is not None and level >= current:
            return level
        pessimistic = self.level_of(value + margin if self.rising else value - margin)
        if pessimistic is None:
            return level
        held = [known for known in self.levels if known <= min(current, pessimistic)]
        return max([*held, *([] if level is None else [level])], default=None)

    def default_margin(self) -> float:
        """How far beyond a bound a value must be before its level is left, when no rule says otherwise.

        Five points for percentages, but at most a fifth of what is left to the best value (0 or 100);
        5 % of the mildest level's bound for every other unit.
        """
        bound = self.entry(min(self.levels))
        if self.unit != "%":
            return abs(bound) * _SHARE
        room = bound if self.rising else 100.0 - bound
        return min(_POINTS, max(room, 0.0) * _ROOM_SHARE)
