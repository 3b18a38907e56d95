"""The maintenance windows; those that a command made with a button to end them."""

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
    """The answer to `maintenance` (`messages.cover_facts.WindowListFacts`), in the given order."""
    headline = words("headline", facts)
    windows = rows(facts["windows"])
    body: list[Block] = [blocks.section("headline", f"*{headline}*")]
    lines = []
    for number, each in enumerate(windows[:SHOWN]):
        text = words("window", each)
        end = None
        if each["id"]:
            end = blocks.button(words("end_button"), "maintenance_end", {"maintenance": each["id"]})
        body.append(blocks.section(f"window:{number}", text, accessory=end))
        lines.append(text)
    if len(windows) > SHOWN:
        body.append(blocks.context("more", words("more", len(windows) - SHOWN)))
    body.append(blocks.context("how", words("how", facts)))
    return Draft("\n".join([headline, *lines]), tuple(body))
