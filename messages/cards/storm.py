"""The parent card of a storm: what stands for many alerts, a row a service."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words


def layout(words: Words, storm: Mapping[str, JsonValue]) -> Draft:
    """The headline, a table of services, and a button that takes everything while somebody has to
    (`messages.facts.StormFacts`)."""
    headline = words("headline", storm)
    over = not storm["open"]
    body: list[Block] = [blocks.section("judgement", words("judgement", storm))]
    people = words("people", storm)
    if people:
        body.append(blocks.section("people", people))
    if not over and storm["open"] != storm["acked"]:
        value: dict[str, JsonValue] = {"storm": storm["id"]}
        button = blocks.button(words("ack_button"), "storm_ack", value, primary=True)
        body.append(blocks.actions(f"storm:{storm['id']}", button))
    body.append(blocks.context("small", words("small", storm)))
    groups = rows(storm["groups"])
    top: list[Block] = [blocks.section("headline", f"*{headline}*")]
    if groups:
        top.append(
            blocks.table(
                "services", words("head", storm).splitlines(), [_row(words, each) for each in groups]
            )
        )
    services = storm["services"]
    if isinstance(services, int) and services > len(groups):
        top.append(blocks.context("more", words("more", services - len(groups))))
    color = "resolved" if over else str(storm["level"])
    return Draft(headline, tuple(top), (blocks.attachment(color, body, headline),))


def _row(words: Words, group: Mapping[str, JsonValue]) -> list[str]:
    counts = [words("count", group[name]) for name in ("open", "resolved", "acked")]
    return [words("service", group), words("level", group), *counts, words("newest", group)]
