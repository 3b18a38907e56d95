"""What a long command of restic tells while it runs, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.tools.restic.answers import Progress, Summary, progress_of
from bot.tools.restic.running import Lines, never


def _silent(_progress: Progress) -> None:
    """Nobody wants to know how far it is."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What a long command tells, and asks, while it runs."""

    progress: Callable[[Progress], None] = _silent
    stopping: Callable[[], bool] = never


class Outcome:
    """Standard output of a command that says how far it is."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.summary: Summary | None = None
        self.moved: Callable[[], None] = lambda: None
        self._lines = Lines(self._hear)
        self._done = 0

    def __call__(self, chunk: bytes) -> None:
        self._lines(chunk)

    def _hear(self, line: str) -> None:
        told = progress_of(line)
        if isinstance(told, Summary):
            self.summary = told
        elif told is not None:
            if told.done != self._done:  # restic goes on saying how far it is while it waits, too
                self._done = told.done
                self.moved()
            self.watch.progress(told)
