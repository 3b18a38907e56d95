"""Words of a command with places for values: `{revision}`, `{slot}`. A value never becomes more than a part
of the word that it stands in, and is not looked at for places itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_PLACE = re.compile(r"(?<![%$\\{])\{([a-z_]{1,30})\}(?!\})")
"""`%{http_code}` of curl, `${HOME}` of a shell and `{{.ID}}` of Go belong to them."""


def placeholders(words: Iterable[str]) -> frozenset[str]:
    """The names that stand in them."""
    return frozenset(name for word in words for name in _PLACE.findall(word))


def fill(word: str, values: Mapping[str, str]) -> str:
    """The word with those values. Raises KeyError for a name without one."""
    return _PLACE.sub(lambda place: values[place[1]], word)


def fill_all(words: Iterable[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """The words with those values. Raises KeyError for a name without one."""
    return tuple(fill(word, values) for word in words)
