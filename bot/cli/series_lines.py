"""The lines of a file, counted, and never more of them or longer ones than one is ready for."""

from __future__ import annotations

from typing import TextIO


class LineRefused(Exception):
    """Line `number` is too long, or one too many."""

    def __init__(self, number: int, *, too_long: bool) -> None:
        super().__init__(str(number))
        self.number = number
        self.too_long = too_long


class Lines:
    """Reads a file line by line. `number` is that of the line read last, from 1."""

    def __init__(self, file: TextIO, most: int, longest: int) -> None:
        """At most `most` lines of `longest` characters."""
        self._file = file
        self._most = most
        self._longest = longest
        self.number = 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        """The next line. Raises LineRefused."""
        line = self._file.readline(self._longest + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > self._longest:
            raise LineRefused(self.number, too_long=True)
        if self.number > self._most:
            raise LineRefused(self.number, too_long=False)
        return line
