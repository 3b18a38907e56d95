"""All probes in a table; the text beside it says the same for clients that show no tables."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import badness, rows
from messages.templates import Words


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The answer to `probes` (`messages.facts.ProbeListFacts`); failing probes come first."""
    probes = sorted(rows(facts["probes"]), key=_failing, reverse=True)
    headline = words("headline", len(probes), sum(map(_failing, probes)))
    body: list[Block] = [blocks.section("headline", f"*{headline}*")]
    if not probes:
        return Draft(headline, tuple(body))
    head = words("head").splitlines()
    cells = [_row(words, probe) for probe in probes]
    shown = cells[: blocks.TABLE_ROWS - 1]
    while blocks.length([blocks.table("probes", head, shown)]) > blocks.BUDGET:
        shown = shown[: len(shown) * 9 // 10]
    body.append(blocks.table("probes", head, shown))
    if len(shown) < len(cells):
        body.append(blocks.context("more", words("more", len(cells) - len(shown))))
    lines = [" · ".join(row) for row in cells]
    return Draft("\n".join([headline, *lines]), tuple(body))


def _failing(probe: Mapping[str, JsonValue]) -> bool:
    return probe["problem"] is not None


def _row(words: Words, probe: Mapping[str, JsonValue]) -> list[str]:
    worst = max(rows(probe["readings"]), key=badness, default=None)
    return [
        words("name", probe),
        words("target", probe),
        words("interval", probe),
        words("result", probe, worst),
    ]
