"""How deployments stand (`DeploymentsFacts`)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.places import sections
from messages.templates import Words


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """A section for each service in an environment, and one for what was."""
    headline = words("headline", facts)
    body: list[Block] = [blocks.section("headline", f"*{headline}*")]
    places = sections(words, facts["places"])
    body += places
    if places:
        body.append(blocks.section("latest", words("latest", facts)))
    body.append(blocks.context("small", words("small", facts)))
    return Draft(headline, tuple(body))
