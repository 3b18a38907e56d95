"""From words as the audit log shows them to the codes that stand in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

from bot.domain.audit import Action
from messages.catalog import load

_GROUPS = ("deed", "outcome", "doer", "operation", "operation_state", "why")
"""of the terms with which an entry is told"""
_AREAS = {
    "알림": "alert.",
    "폭주": "storm.",
    "침묵": "silence.",
    "점검창": "maintenance.",
    "당직": "oncall.",
    "작업": "operation.",
    "잠금": "lock.",
    "동결": "freeze.",
}
"""What commands are called, and where what they do begins."""


def codes_of(word: str) -> frozenset[str]:
    """The codes of everything that is shown by a text with that word in it, in either language and whatever
    the case: actions, outcomes, actors, operations, states and reasons."""
    wanted = _folded(word)
    found = {code for shown, codes in _shown().items() if wanted in shown for code in codes}
    area = _AREAS.get(wanted)
    if area is not None:
        found |= {action.value for action in Action if action.value.startswith(area)}
    return frozenset(found)


@cache
def _shown() -> Mapping[str, frozenset[str]]:
    codes: dict[str, set[str]] = {}
    for language in ("ko", "en"):
        for key, text in load(language).items():
            file, _, rest = key.partition(".")
            group, _, code = rest.partition(".")
            if file == "terms" and group in _GROUPS:
                codes.setdefault(_folded(text), set()).add(code)
    return {shown: frozenset(found) for shown, found in codes.items()}


def _folded(text: str) -> str:
    # Some keyboards send Hangul in pieces.
    return unicodedata.normalize("NFC", text).strip().casefold()
