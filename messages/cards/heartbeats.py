"""All jobs that must report, in a table; the text beside it says the same for clients that show no tables."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

_BAD = ("late", "failed")


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The answer to `heartbeats` (`messages.elsewhere_facts.HeartbeatListFacts`), in the given order."""
    jobs = rows(facts["heartbeats"])
    headline = words("headline", len(jobs), sum(job["state"] in _BAD for job in jobs))
    body: list[Block] = [blocks.section("headline", f"*{headline}*")]
    if not jobs:
        body.append(blocks.context("how", words("how")))
        return Draft(headline, tuple(body))
    head = words("head").splitlines()
    cells = [[words(column, job) for column in ("name", "state", "last", "due", "every")] for job in jobs]
    shown = cells[: blocks.TABLE_ROWS - 1]
    while blocks.length([blocks.table("heartbeats", head, shown)]) > blocks.BUDGET:
        shown = shown[: len(shown) * 9 // 10]
    body.append(blocks.table("heartbeats", head, shown))
    if len(shown) < len(cells):
        body.append(blocks.context("more", words("more", len(cells) - len(shown))))
    return Draft("\n".join([headline, *(" · ".join(row) for row in cells)]), tuple(body))
