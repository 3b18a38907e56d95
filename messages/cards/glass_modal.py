"""The form that breaks the glass: it asks for a reason."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from messages import blocks
from messages.blocks import Draft
from messages.templates import Words

REASON = "reason"
_LIMIT = 300


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """What it does, and the field."""
    text = words("text", facts)
    field = blocks.text_field(REASON, words("reason_label"), REASON, words("reason_hint"), _LIMIT)
    return Draft(text, (blocks.section("text", text), field))
