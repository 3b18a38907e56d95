"""The noise report as a table; the text beside it says the same for clients that show no tables."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

_COLUMNS = ("rule", "alerts", "pages", "duration", "looked", "rated", "advice")
_CELL = 90


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The answer to `noise` (`messages.insight_facts.NoiseFacts`), in the given order."""
    headline, accuracy = words("headline", facts), words("accuracy", facts)
    body: list[Block] = [
        blocks.section("headline", f"*{headline}*"),
        blocks.section("accuracy", accuracy),
    ]
    cells = [[words(column, rule) for column in _COLUMNS] for rule in rows(facts["rules"])]
    if not cells:
        return Draft("\n".join([headline, accuracy]), tuple(body))
    head = words("head").splitlines()
    shown = cells[: blocks.TABLE_ROWS - 1]
    while blocks.length([*body, blocks.table("rules", head, shown, _CELL)]) > blocks.BUDGET - 1000:
        shown = shown[: len(shown) * 9 // 10]
    body.append(blocks.table("rules", head, shown, _CELL))
    small = [words("legend")]
    if len(shown) < len(cells):
        small.append(words("more", len(cells) - len(shown)))
    body.append(blocks.context("legend", *small))
    lines = [" · ".join(row) for row in cells]
    return Draft("\n".join([headline, accuracy, *lines]), tuple(body))
