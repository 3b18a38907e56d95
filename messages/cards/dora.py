"""The four figures of software delivery (`DoraFacts`)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from messages import blocks
from messages.blocks import Draft
from messages.cards.places import sections
from messages.templates import Words


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """A section for each service in an environment."""
    headline = words("headline", facts)
    body = (
        blocks.section("headline", f"*{headline}*"),
        *sections(words, facts["places"]),
        blocks.context("small", words("small", facts)),
    )
    return Draft(headline, body)
