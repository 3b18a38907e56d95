"""A list of alerts, a line each."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

A_BLOCK = 6
"""Lines in one section, so that its text stays under Slack's 3,000 characters."""
SHOWN = 24


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The answer to `alerts` (`messages.facts.AlertListFacts`), in the given order."""
    headline = words("headline", facts)
    lines = [words("alert", each) for each in rows(facts["alerts"])[:SHOWN]]
    body: list[Block] = [blocks.section("headline", f"*{headline}*")]
    for start in range(0, len(lines), A_BLOCK):
        body.append(blocks.section(f"alerts:{start}", "\n".join(lines[start : start + A_BLOCK])))
    total = facts["total"]
    if isinstance(total, int) and total > len(lines):
        body.append(blocks.context("more", words("more", total - len(lines))))
    return Draft(headline, tuple(body))
