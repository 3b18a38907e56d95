"""The form for a silence about one alert."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from messages import blocks
from messages.blocks import Draft
from messages.templates import Words

LENGTH, REASON = "length", "reason"
"""Names of the fields: both `block_id` and `action_id`."""
HOURS = (0.5, 1, 4, 8, 24)
_INITIAL = 1
REASON_LIMIT = 300


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The fields (`messages.cover_facts.SilenceModalFacts`); a length's value is in seconds."""
    about = words("about", facts)
    lengths = [(words("length", hours * 3600), str(int(hours * 3600))) for hours in HOURS]
    return Draft(
        about,
        (
            blocks.section("about", about),
            blocks.select(LENGTH, words("length_label"), LENGTH, lengths, _INITIAL),
            blocks.text_field(REASON, words("reason_label"), REASON, words("reason_hint"), REASON_LIMIT),
        ),
    )
