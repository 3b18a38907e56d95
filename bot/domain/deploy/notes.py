"""What changes from one revision to another, as the local Git repository tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Direction(StrEnum):
    """How the new revision stands to the old one. What it is called: `deploy.notes.direction.NAME`."""

    FIRST = "first"
    """there was none before"""
    SAME = "same"
    FORWARD = "forward"
    """the new one has all that the old one had"""
    BACKWARDS = "backwards"
    """the old one has all that the new one has, and more"""
    ASIDE = "aside"
    """each has something that the other has not"""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit."""

    short: str
    """its abbreviated hash"""
    at: datetime
    """when it was committed"""
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A revision that has a name."""

    name: str
    at: datetime
    """when it was made"""
    subject: str


@dataclass(frozen=True, slots=True)
class ReleaseNotes:
    """What comes and what goes."""

    new: str
    """full hash"""
    old: str | None
    """full hash; None where there was none before"""
    direction: Direction
    commit_at: datetime
    """when the new revision was committed"""
    commits: tuple[Commit, ...] = ()
    """those that come, newest first; not more than were asked for"""
    coming: int = 0
    """how many come"""
    going: int = 0
    """how many that the old revision has go away"""
    files: int | None = None
    insertions: int | None = None
    deletions: int | None = None
    """what differs; None where there is nothing to compare with"""
