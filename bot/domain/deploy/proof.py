"""Evidence that something was looked at: a regular expression that a check's output has to match. RE2: no
expression and no output makes it run away."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol


class Match(Protocol):
    """What was found."""

    def group(self, number: int) -> bytes | None:
        """That part of it; None when it has no share in it."""
        ...


class Pattern(Protocol):
    """A compiled expression."""

    @property
    def groups(self) -> int:
        """How many groups it has."""
        ...

    def search(self, text: bytes) -> Match | None:
        """Where it is first found."""
        ...


@lru_cache(maxsize=256)
def pattern_of(expression: str) -> Pattern | None:
    """The compiled expression, `^` and `$` at lines; None if it is none, or needs more than a megabyte."""
    import re2  # 3 MB that only those pay who use regular expressions

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    options.one_line = False
    try:
        pattern: Pattern = re2.compile(f"(?m){expression}".encode(errors="replace"), options)
    except re2.error:
        return None
    return pattern


def found(expression: str, text: str) -> str | None:
    """What of `text` is the evidence: the expression's first group, or all that matched; None if there is
    none."""
    pattern = pattern_of(expression)
    match = None if pattern is None else pattern.search(text.encode(errors="replace"))
    if pattern is None or match is None:
        return None
    return (match.group(1 if pattern.groups else 0) or b"").decode(errors="replace")
