"""Reading the list that was approved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from bot.domain.cleanup.candidate import Candidate, candidate_of
from bot.domain.cleanup.rules import Root

_BLOCK = 1 << 20


class ListLost(Exception):
    """The list is not there any more, or is not the one that was approved."""


def read(path: str, digest: str) -> Path:
    """The list at `path`, if its SHA-256 is `digest`. Raises ListLost."""
    found = sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError as error:
        raise ListLost(error.strerror or str(error)) from None
    if found.hexdigest() != digest:
        raise ListLost("its content has changed")
    return Path(path)


def below(root: Root, path: Path) -> Iterator[tuple[int, Candidate]]:
    """The files of the list below that root, with their places in the list. Raises ListLost, OSError."""
    above = root.path.rstrip(b"/") + b"/"
    with path.open("rb") as file:
        for number, line in enumerate(file):
            try:
                candidate = candidate_of(line)
            except ValueError:
                raise ListLost("a line is no file") from None
            if candidate.path.startswith(above):
                yield number, candidate


def strangers(roots: Sequence[Root], path: Path) -> int:
    """How many files of the list are below none of the roots: then the configuration is another by now."""
    above = tuple(root.path.rstrip(b"/") + b"/" for root in roots)
    with path.open("rb") as file:
        return sum(1 for line in file if not candidate_of(line).path.startswith(above))
