"""The silences, each with its button."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

SHOWN = 12


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The answer to `silence` (`messages.cover_facts.SilenceListFacts`), in the given order."""
    headline = words("headline", facts)
    silences = rows(facts["silences"])
    body: list[Block] = [blocks.section("headline", f"*{headline}*")]
    lines = []
    for each in silences[:SHOWN]:
        text = words("silence", each, facts["at"])
        lift = blocks.button(words("lift_button"), "silence_lift", {"silence": each["id"]})
        body.append(blocks.section(f"silence:{each['id']}", text, accessory=lift))
        lines.append(text)
    if len(silences) > SHOWN:
        body.append(blocks.context("more", words("more", len(silences) - SHOWN)))
    body.append(blocks.context("how", words("how", facts)))
    return Draft("\n".join([headline, *lines]), tuple(body))
