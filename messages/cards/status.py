"""The state of the system: the first line says it, then one line a reading, then what is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import reading_lines, rows
from messages.templates import Words

ALERTS_SHOWN = 12


def layout(words: Words, status: Mapping[str, JsonValue]) -> Draft:
    """The answer to `status` (`messages.facts.StatusFacts`)."""
    return draft(words, status, opening="")


def draft(words: Words, status: Mapping[str, JsonValue], opening: str) -> Draft:
    """The state, with a sentence of its own after the first line when there is one."""
    headline = words("headline", status)
    body: list[Block] = [blocks.header("state", headline)]
    if opening:
        body.append(blocks.section("opening", opening))
    body.append(blocks.section("readings", "\n".join(reading_lines(words, rows(status["readings"])))))
    body.append(blocks.section("alerts", "\n".join(alert_lines(words, status, ALERTS_SHOWN))))
    troubles = words("troubles", status)
    if troubles:
        body.append(blocks.section("troubles", troubles))
    body.append(blocks.context("small", words("small", status)))
    return Draft("\n".join(filter(None, (headline, opening))), tuple(body))


def open_count(status: Mapping[str, JsonValue]) -> int:
    """How many alerts are open; the facts of a status have only the first of them."""
    counts = status["alerts_open"]
    if not isinstance(counts, Mapping):
        raise TypeError("counts by level were expected")
    return sum(count for count in counts.values() if isinstance(count, int))


def alert_lines(words: Words, status: Mapping[str, JsonValue], shown: int) -> list[str]:
    """A head and a line for each open alert, or the sentence that there is none."""
    alerts, count = rows(status["alerts"])[:shown], open_count(status)
    if not count:
        return [words("no_alerts")]
    lines = [words("alerts_head", count), *(words("alert", each) for each in alerts)]
    if count > len(alerts):
        lines.append(words("more_alerts", count - len(alerts)))
    return lines
