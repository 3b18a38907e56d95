"""Which way an alert goes: the route, the ones before it with what did not match, and who is paged when."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

SHOWN = 8
"""Routes that did not match: the last ones before the one that takes the alert."""


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The answer to `route` (`messages.cover_facts.RouteFacts`)."""
    headline = words("headline", facts)
    tried = rows(facts["tried"])
    shown = tried[-SHOWN - 1 :]
    asked = [words("tried", each) for each in shown]
    if len(shown) < len(tried):
        asked.insert(0, words("more", len(tried) - len(shown)))
    ladders = [words("ladder", each) for each in rows(facts["ladders"])]
    body: list[Block] = [
        blocks.section("headline", f"*{headline}*"),
        blocks.section("about", words("about", facts)),
        blocks.section("tried", "\n".join(asked)),
        blocks.section("ladders", "\n".join(ladders)),
    ]
    return Draft("\n".join([headline, *asked, *ladders]), tuple(body))
