"""One alert and the decisions that made it what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.alert import buttons
from messages.cards.readings import rows
from messages.templates import Words

SHOWN = 16
A_BLOCK = 8


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The card's facts, then the latest decisions (`messages.facts.AlertDetailFacts`), and its buttons: an
    alert that a storm gathers has no other place for them.

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
    groups = runs(rows(facts["decisions"]))
    lines = [words("decision", group[0], len(group)) for group in groups[-SHOWN:]] or [words("nothing")]
    if len(groups) > SHOWN:
        lines.insert(0, words("earlier", sum(map(len, groups[:-SHOWN]))))
    body.append(blocks.section("decisions", words("head")))
    for start in range(0, len(lines), A_BLOCK):
        body.append(blocks.section(f"decisions:{start}", "\n".join(lines[start : start + A_BLOCK])))
    offered = [] if alert["status"] == "resolved" else buttons(card, alert)
    if offered:
        body.append(blocks.actions(f"alert:{alert['id']}:{alert['version']}", *offered))
    body.append(blocks.context("small", card("small", alert)))
    color = "resolved" if alert["status"] == "resolved" else str(alert["level"])
    return Draft(
        headline,
        (blocks.section("headline", words("shown_headline", alert)),),
        (blocks.attachment(color, body, headline),),
    )


def runs(decisions: Iterable[Mapping[str, JsonValue]]) -> list[list[Mapping[str, JsonValue]]]:
    """The decisions, those of the same reason in a row together; steps that reached nobody are one each."""
    return [list(run) for _, run in groupby(decisions, key=_same)]


def _same(decision: Mapping[str, JsonValue]) -> tuple[JsonValue, ...]:
    values = decision["values"]
    step = (values.get("round"), values.get("step")) if isinstance(values, Mapping) else ()
    return decision["reason"], decision["from_status"], decision["to_status"], decision["actor"], *step
