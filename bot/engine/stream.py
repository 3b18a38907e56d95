"""A stream: the unsent letters of one thing, of which only the oldest may go."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice

from bot.domain.letters import Letter


@dataclass(slots=True)
class Stream:
    """Unsent letters of one stream, oldest first."""

    name: str
    letters: deque[Letter] = field(default_factory=deque)
    queued: int | None = None
    """the letter for which the stream waits in a bucket"""
    in_flight: bool = False
    resting: bool = False
    """until the next try after a failure"""
    in_doubt: bool = False
    """the oldest may have arrived already"""
    failures: int = 0
    rest: asyncio.TimerHandle | None = None
    """ends `resting`"""

    @property
    def urgency(self) -> int:
        """The priority of the most urgent letter: those before it must go first."""
        return min(int(letter.priority) for letter in self.letters)

    @property
    def oldest(self) -> Letter | None:
        """The letter that goes next; None when nothing is left."""
        return self.letters[0] if self.letters else None

    def not_begun(self) -> Iterator[Letter]:
        """Those that can still be taken back: not the oldest, if it is under way or may have arrived."""
        return islice(self.letters, 1 if self.in_flight or self.in_doubt else 0, None)

    def take_back(self, gone: Collection[int]) -> set[int]:
        """Forget the letters of those ids, but what is under way; the ids of those that were there."""
        if not gone:
            return set()
        there = {letter.id for letter in self.letters if letter.id in gone}
        under_way = self.oldest if self.in_flight else None
        if there:
            self.letters = deque(
                letter for letter in self.letters if letter.id not in there or letter is under_way
            )
        return there

    def began_anew(self) -> None:
        """Another letter is the oldest now: whether it may have arrived, its lease tells."""
        oldest = self.oldest
        self.in_doubt = oldest is not None and oldest.leased_until is not None
