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
    body.append(blocks.section("alerts", "\n".join(alert_lines(words, rows(status["alerts"]), ALERTS_SHOWN))))
    troubles = words("troubles", status)
    if troubles:
        body.append(blocks.section("troubles", troubles))
    body.append(blocks.context("small", words("small", status)))
    return Draft("\n".join(filter(None, (headline, opening))), tuple(body))


def alert_lines(words: Words, alerts: list[Mapping[str, JsonValue]], shown: int) -> list[str]:
    """A head and a line for each open alert, or the sentence that there is none."""
    if not alerts:
        return [words("no_alerts")]
    lines = [words("alerts_head", len(alerts)), *(words("alert", each) for each in alerts[:shown])]
    if len(alerts) > shown:
        lines.append(words("more_alerts", len(alerts) - shown))
    return lines
