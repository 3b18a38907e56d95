"""Short codes such as `:white_check_mark:` and the characters they stand for."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

SHORT_CODE = re.compile(r":([a-z0-9_+'-]{1,80}):(?::skin-tone-([2-6]):)?")

QUICK = ("white_check_mark", "eyes", "+1", "-1", "tada", "thinking_face", "raised_hands", "bug")
"""Offered as a reaction on every message."""

# Slack's names that are neither Unicode's name nor that name with SIGN, FACE or SYMBOL behind it.
_IRREGULAR = {
    name: line.split()[0]
    for line in Path(__file__).with_name("short_codes.txt").read_text("utf-8").splitlines()
    for name in line.split()[1:]
}

_TONES = {str(tone): chr(0x1F3F9 + tone) for tone in range(2, 7)}


@lru_cache(maxsize=4096)
def character(name: str, tone: str | None = None) -> str | None:
    """The character of a short code without its colons; None when there is none of that name."""
    known = _IRREGULAR.get(name) or _by_unicode_name(name)
    if known is None or tone is None:
        return known
    return known.rstrip("\ufe0f") + _TONES[tone]


def _by_unicode_name(name: str) -> str | None:
    words = name.replace("_", " ").replace("-", " ").upper()
    for candidate in (words, f"{words} SIGN", f"{words} FACE", f"{words} SYMBOL", f"FACE WITH {words}"):
        try:
            found = unicodedata.lookup(candidate)
        except KeyError:
            continue
        # Names such as `a` or `colon` would match letters and punctuation, which are no emoji.
        if len(found) == 1 and unicodedata.category(found) == "So":
            return found if ord(found) >= 0x1F000 else f"{found}\ufe0f"
    return None


def replace(text: str) -> str:
    """The text with every known short code replaced; unknown ones stay as they are."""
    return SHORT_CODE.sub(lambda match: character(match[1], match[2]) or match[0], text)


def names() -> list[str]:
    """The short codes of the table, for completion."""
    return sorted(_IRREGULAR)
