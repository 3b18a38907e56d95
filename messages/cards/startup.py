"""The first post after a start: the state, and that the watch has begun."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from messages.blocks import Draft
from messages.cards import status
from messages.templates import Words


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The state as in `status`, with the opening sentence after its first line (`StatusFacts`)."""
    return status.draft(words.of("status"), facts, opening=words("opening", facts))
