"""One alert and the decisions that made it what it is."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

SHOWN = 16
A_BLOCK = 8


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The card's facts without its buttons, then the latest decisions (`messages.facts.AlertDetailFacts`).

    Decisions of the same reason in a row are one line with the first one's moment.
    """
    alert = facts["alert"]
    if not isinstance(alert, Mapping):
        raise TypeError("an alert was expected")
    card = words.of("alert")
    headline = words("headline", alert)
    body: list[Block] = [
        blocks.section("judgement", card("judgement", alert), fields=card("fields", alert).splitlines())
    ]
    runs = [list(run) for _, run in groupby(rows(facts["decisions"]), key=_same)]
    lines = [words("decision", run[0], len(run)) for run in runs[-SHOWN:]] or [words("nothing")]
    if len(runs) > SHOWN:
        lines.insert(0, words("earlier", sum(map(len, runs[:-SHOWN]))))
    body.append(blocks.section("decisions", words("head")))
    for start in range(0, len(lines), A_BLOCK):
        body.append(blocks.section(f"decisions:{start}", "\n".join(lines[start : start + A_BLOCK])))
    body.append(blocks.context("small", card("small", alert)))
    color = "resolved" if alert["status"] == "resolved" else str(alert["level"])
    return Draft(
        headline,
        (blocks.section("headline", words("shown_headline", alert)),),
        (blocks.attachment(color, body, headline),),
    )


def _same(decision: Mapping[str, JsonValue]) -> tuple[JsonValue, ...]:
    return decision["reason"], decision["from_status"], decision["to_status"], decision["actor"]
