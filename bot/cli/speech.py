"""What the command line says: sentences on standard error, results on standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.config import ConfigProblem, ConfigurationInvalid
from messages.render import Voice


class Speaker:
    """Says things in one language. Nothing is read before something is to be said."""

    def __init__(self, language: str, timezone: str = "Asia/Seoul") -> None:
        self.language = language
        self._timezone = timezone

    @cached_property
    def voice(self) -> Voice:
        """The words."""
        return Voice(self.language, ZoneInfo(self._timezone))

    def phrase(self, key: str, **values: object) -> str:
        """A sentence under `cli.` in phrases."""
        return self.voice.phrase(f"cli.{key}", **values)

    def complain(self, key: str, **values: object) -> None:
        """A sentence on standard error."""
        self.error(self.phrase(key, **values))

    def error(self, text: str) -> None:
        """A line on standard error."""
        sys.stderr.write(f"{text}\n")

    def line(self, text: str = "") -> None:
        """A line on standard output."""
        sys.stdout.write(f"{text}\n")

    def problem(self, problem: ConfigProblem, source: str | None) -> str:
        """Where and what, on one line."""
        place = self.voice.phrase(
            "config.place", source=source or "", line=problem.line or 0, path=problem.path
        )
        sentence = self.voice.phrase(f"config.{problem.code}", **problem.values)
        if problem.line is None and problem.path in problem.values.values():
            return sentence  # an environment variable: the sentence names it
        return f"{place.removeprefix(': ')}: {sentence}" if place.strip(": ") else sentence

    def refuse(self, invalid: ConfigurationInvalid) -> None:
        """Everything that is wrong with a configuration, a line each, and how much it is."""
        for problem in invalid.problems:
            # What isn't in the file (a missing file, an environment variable) needs no file in front.
            outside = problem.line is None
            self.error(self.problem(problem, None if outside else _short(invalid.source)))
        if len(invalid.problems) > 1:
            self.error(self.voice.phrase("config.summary", count=len(invalid.problems)))


def _short(source: str | None) -> str | None:
    """The path as one would type it from here, if that is shorter."""
    if source is None:
        return None
    try:
        return str(Path(source).absolute().relative_to(Path.cwd()))
    except ValueError:
        return source


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output: drawn for people, lines with tabs when it goes into a file or a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write("\t".join(row) + "\n")
        return
    from rich import box  # only where a table is drawn: `run` never needs it
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*headings, box=box.SIMPLE)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)
