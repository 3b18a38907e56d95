"""What it means that code is synchronised: its last commit is elsewhere too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GitFacts:
    """One Git repository, as it was found."""

    path: str
    head: str | None
    """the commit that is checked out; None where there is none yet, or none could be told"""
    pushed: bool
    """a branch of a remote contains that commit, as far as the last fetch or push told"""
    problem: str | None = None
    """why nothing is known, as Git says it"""


def is_synchronised(facts: GitFacts, recorded_head: str | None) -> bool:
    """Whether that repository's last commit is pushed, or in the newest proven snapshot, where HEAD stood at
    `recorded_head`."""
    if facts.head is None:
        return False
    return facts.pushed or facts.head == recorded_head
