"""Services in their environments, a section for each."""

from __future__ import annotations

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.cards.readings import rows
from messages.templates import Words

_SHOWN = 12


def sections(words: Words, facts: JsonValue) -> list[Block]:
    """The first dozen, and how many more there are. TypeError when `facts` is no list of places."""
    places = rows(facts)
    found: list[Block] = [
        blocks.section(f"place:{at}", words("place", place)) for at, place in enumerate(places[:_SHOWN])
    ]
    if len(places) > _SHOWN:
        found.append(blocks.section("more", words("more", len(places) - _SHOWN)))
    return found
