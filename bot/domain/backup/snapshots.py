"""A backup that was made, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.backup.repositories import Place


@dataclass(frozen=True, slots=True)
class Taken:
    """One snapshot. Only those that ended well are written down, so that what a killed run left in the
    repository is never taken for a backup."""

    id: int
    """ours"""
    source: str
    snapshot: str
    """the local repository's name for it"""
    tree: str
    """what is in it: equal for equal content"""
    taken_at: datetime
    size: int
    """bytes that were read"""
    files: int
    seconds: float
    run_id: int
    canary_path: str
    """the file in it that is restored and compared"""
    canary_sha256: str
    paths: tuple[str, ...] = ()
    """what was backed up, as the configuration had it then; none for a dump"""
    exclude: tuple[str, ...] = ()
    copied: str | None = None
    """the off-site repository's name for it, as long as it is there"""
    heads: Mapping[str, str] = field(default_factory=dict)
    """where Git repositories stood: path → commit"""
    forgotten_at: datetime | None = None
    """since when the local repository has it no more: too old, or lost with the repository"""

    @property
    def made_at(self) -> datetime:
        """When it was whole; `taken_at` is when it began."""
        return self.taken_at + timedelta(seconds=self.seconds)

    def name_in(self, place: Place) -> str | None:
        """What the repository at that place calls it; None if it does not have it."""
        if place is Place.OFFSITE:
            return self.copied
        return self.snapshot if self.forgotten_at is None else None

    def is_called(self, prefix: str) -> bool:
        """Whether its name in one of the repositories begins so."""
        return any((self.name_in(place) or "").startswith(prefix) for place in Place)
