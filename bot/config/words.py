"""Words that people write: which are meant for something secret, and which are a slip of the pen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

_SECRET_KEY = re.compile(
    r"token|secret|password|passwd|passphrase|api_?key|signing|credential", re.IGNORECASE
)


def looks_secret(key: str) -> bool:
    """Whether a key of that name is for something secret."""
    return _SECRET_KEY.search(key) is not None


def nearest(word: str, known: Mapping[str, object] | list[str]) -> str:
    """The known word most like `word`; empty if none is like it."""
    close = get_close_matches(word, list(known), n=1)
    return close[0] if close else ""
