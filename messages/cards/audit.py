"""The latest entries of the audit log, two lines each, and how to see older ones."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

_TOGETHER = 4
"""entries in one section: four of the longest fit into what it takes"""


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The answer to `audit` (`messages.audit_facts.AuditListFacts`), in the given order; as many as fit."""
    entries = rows(facts["entries"])
    lines = [words("entry", each) for each in entries]
    shown = len(lines)
    told: dict[str, JsonValue] = dict(facts)
    while blocks.length(body := _blocks(words, told, lines[:shown])) > blocks.BUDGET - 500:
        shown = shown * 9 // 10
        told |= {
            "entries": [dict(each) for each in entries[:shown]],
            "older_than": entries[shown - 1]["number"],
        }
    how = [words("waiting", told), words("how", told)]
    return Draft("\n".join([words("headline", told), *lines[:shown], *filter(None, how)]), tuple(body))


def _blocks(words: Words, facts: Mapping[str, JsonValue], lines: list[str]) -> list[Block]:
    body: list[Block] = [blocks.section("headline", f"*{words('headline', facts)}*")]
    for start in range(0, len(lines), _TOGETHER):
        body.append(blocks.section(f"entries:{start}", "\n".join(lines[start : start + _TOGETHER])))
    small = [text for text in (words("waiting", facts), words("how", facts)) if text]
    return [*body, blocks.context("how", *small)] if small else body
