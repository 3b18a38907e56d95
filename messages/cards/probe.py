"""One probe with all its readings."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import badness, rows
from messages.templates import Words

READINGS_SHOWN = 20


def layout(words: Words, probe: Mapping[str, JsonValue]) -> Draft:
    """The answer to `probes NAME` (`messages.facts.ProbeFacts`), the worst readings first."""
    headline = words("headline", probe)
    readings = sorted(rows(probe["readings"]), key=badness, reverse=True)
    lines = [words("reading", each) for each in readings[:READINGS_SHOWN]] or [words("no_readings", probe)]
    if len(readings) > READINGS_SHOWN:
        lines.append(words("more_readings", len(readings) - READINGS_SHOWN))
    return Draft(
        headline,
        (
            blocks.section("headline", f"*{headline}*"),
            blocks.section("readings", "\n".join(lines)),
            blocks.context("small", words("small", probe)),
        ),
    )
