"""Text from outside, made such that it can be stored and sent: whole characters only."""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

_HALF_PAIR = re.compile(r"[\ud800-\udfff]")
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def whole(text: str) -> str:
    """`text` with U+FFFD for each half of a surrogate pair that stands alone: no encoding has those."""
    return _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", text)


def parse_json(raw: str | bytes) -> JsonValue:
    """The JSON value in `raw` (bytes: UTF-8), its keys and texts `whole`.

    Raises ValueError on anything else, RecursionError when it is nested beyond all sense.
    """
    text = whole(raw if isinstance(raw, str) else raw.decode("utf-8-sig"))
    value: JsonValue = json.loads(text)
    if _ESCAPED_HALF.search(text) is None:
        return value
    # Pairs have become characters by now: what is left of them stands alone.
    plain = json.dumps(value, ensure_ascii=False)
    mended: JsonValue = json.loads(whole(plain))
    return mended
