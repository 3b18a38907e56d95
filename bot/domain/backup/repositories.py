"""Where backups are kept: two repositories, on media that must differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Which of the two repositories. What it is called is in `backup.place`."""

    LOCAL = "local"
    OFFSITE = "offsite"


class MediumKind(StrEnum):
    """What a repository lies on. What it is called is in `backup.medium`."""

    DISK = "disk"
    NETWORK = "network"
    """a file system of another machine"""
    OBJECTS = "objects"
    """S3"""
    MEMORY = "memory"
    """gone with the next restart"""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Medium:
    """What a repository lies on, as it was found: `units` are the disks behind it, or the server."""

    kind: MediumKind
    units: frozenset[str] = frozenset()


class MediaFault(StrEnum):
    """Why two repositories are not on two media. The sentence is in `backup.reason`."""

    SAME = "same_medium"
    UNKNOWN = "medium_unknown"
    """nobody could tell, and what is not known to differ counts as the same"""
    MEMORY = "medium_memory"


def media_fault(first: Medium, second: Medium) -> MediaFault | None:
    """Why these are not two media; None if they are."""
    kinds = {first.kind, second.kind}
    if MediumKind.MEMORY in kinds:
        return MediaFault.MEMORY
    if MediumKind.UNKNOWN in kinds or not first.units or not second.units:
        return MediaFault.UNKNOWN
    return MediaFault.SAME if len(kinds) == 1 and first.units & second.units else None


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """What a repository says of itself."""

    id: str
    version: int
    """of its format; both that there are encrypt with AES-256"""
    chunker: str
    """the polynomial by which files are cut: equal ones share data after a copy"""
    keys: int
    """passwords that open it"""

    @property
    def encryption(self) -> str | None:
        """How its content is encrypted; None for a format that nobody has looked up."""
        # restic's design document: AES-256 in counter mode, with Poly1305-AES, in formats 1 and 2.
        return "AES-256" if self.version in (1, 2) and self.keys > 0 else None
