"""What other systems call our levels."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.domain.levels import Level

SEVERITIES: Mapping[str, Level] = MappingProxyType(
    {
        "none": Level.INFO,
        "info": Level.INFO,
        "information": Level.INFO,
        "informational": Level.INFO,
        "notice": Level.INFO,
        "low": Level.INFO,
        "warning": Level.WARNING,
        "warn": Level.WARNING,
        "minor": Level.WARNING,
        "medium": Level.WARNING,
        "moderate": Level.WARNING,
        "error": Level.ERROR,
        "err": Level.ERROR,
        "major": Level.ERROR,
        "high": Level.ERROR,
        "critical": Level.CRITICAL,
        "crit": Level.CRITICAL,
        "page": Level.CRITICAL,
        "fatal": Level.CRITICAL,
        "emergency": Level.EMERGENCY,
        "emerg": Level.EMERGENCY,
        "disaster": Level.EMERGENCY,
    }
)


class Severities:
    """From a severity's name to a level."""

    def __init__(self, own: Mapping[str, Level] | None = None) -> None:
        """`own` come first: what the configuration says."""
        self._levels = {
            **SEVERITIES,
            **{name.strip().casefold(): level for name, level in (own or {}).items()},
        }

    def level(self, word: str) -> Level | None:
        """The level of that name; None for one that nobody knows."""
        return self._levels.get(word.strip().casefold())
