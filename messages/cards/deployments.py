"""How deployments stand (`DeploymentsFacts`)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

_PLACES = 12


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """A section for each service in an environment, and one for what was."""
    headline = words("headline", facts)
    body: list[Block] = [blocks.section("headline", f"*{headline}*")]
    places = rows(facts["places"])
    body += [
        blocks.section(f"place:{at}", words("place", place)) for at, place in enumerate(places[:_PLACES])
    ]
    if len(places) > _PLACES:
        body.append(blocks.section("more", words("more", len(places) - _PLACES)))
    if places:
        body.append(blocks.section("latest", words("latest", facts)))
    body.append(blocks.context("small", words("small", facts)))
    return Draft(headline, tuple(body))
