"""What runs and waits, locks, freezes, and what was (`OperationsFacts`)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.templates import Words


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """A section for each."""
    headline = words("headline", facts)
    body: list[Block] = [blocks.section("headline", f"*{headline}*")]
    for part in ("open", "locks", "freezes", "history"):
        text = words(part, facts)
        if text:
            body.append(blocks.section(part, text))
    body.append(blocks.context("small", words("small", facts)))
    return Draft(headline, tuple(body))
