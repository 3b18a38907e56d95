"""What may lie over an alert: it goes on underneath, and nobody is told until it is lifted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.levels import Level


class CoverKind(StrEnum):
    """Why nobody is told."""

    SILENCE = "silence"
    MAINTENANCE = "maintenance"
    INHIBITED = "inhibited"


@dataclass(frozen=True, slots=True)
class Cover:
    """One reason for saying nothing. `ref` names it: a silence's number, a window's name, the alert that
    inhibits. `level` is the alert's when it was covered: a silence is broken by a rise above it."""

    kind: CoverKind
    ref: str
    until: datetime | None = None
    by: str | None = None
    """user id of whoever asked for it"""
    why: str = ""
    level: Level = Level.INFO

    def same_as(self, other: Cover | None) -> bool:
        """Whether it is the same reason, whatever has changed about its end."""
        return other is not None and (self.kind, self.ref) == (other.kind, other.ref)
