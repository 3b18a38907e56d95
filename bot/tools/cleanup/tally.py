"""What became of files that were to be moved, brought back or purged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.cleanup.reasons import Left

Tick = Callable[[int], None]
"""told how many files were just dealt with"""
Stop = Callable[[], bool]
"""asked now and then whether to end early"""


class QuarantineUnusable(Exception):
    """Nothing can be moved there. `reason` is a key of `cleanup.failed`, `root` the root's path."""

    def __init__(self, reason: str, root: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {root} {detail}")
        self.reason = reason
        self.root = root
        self.detail = detail


@dataclass(slots=True)
class Tally:
    """What became of some files."""

    done: int = 0
    bytes: int = 0
    left: Counter[Left] = field(default_factory=Counter)
    stopped: bool = False
    """it ended early, because somebody wanted it to"""

    def add(self, other: Tally) -> None:
        """Count the other one in."""
        self.done += other.done
        self.bytes += other.bytes
        self.left.update(other.left)
        self.stopped = self.stopped or other.stopped
