"""One alert with every decision about it: text without blocks, which would hold less."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from messages.blocks import Draft
from messages.cards.alert_detail import runs
from messages.cards.readings import rows
from messages.templates import Words

TEXT_LIMIT = 38_000
"""Slack cuts a text above 40,000 characters."""


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The alert, its decisions, its pages (`messages.facts.ExplainFacts`). If there are too many decisions
    the oldest are left out, and how many is said."""
    alert, detail = facts["alert"], words.of("alert_detail")
    if not isinstance(alert, Mapping):
        raise TypeError("an alert was expected")
    pages = [words("page", page) for page in rows(facts["pages"])] or [words("no_pages")]
    closing = [words("pages_head"), *pages[-100:]]
    groups = runs(rows(facts["decisions"]))
    lines = [detail("decision", group[0], len(group)) for group in groups] or [words("nothing")]
    more = facts["more"]
    left_out = more if isinstance(more, int) else 0
    used = sum(map(len, closing)) + 1000
    kept: list[str] = []
    for group, line in zip(reversed(groups), reversed(lines), strict=False):
        used += len(line) + 1
        if used > TEXT_LIMIT:
            left_out += len(group)
        else:
            kept.insert(0, line)
    earlier = [words("earlier", left_out)] if left_out else []
    return Draft(
        "\n".join([words("headline", alert), words("head"), *earlier, *(kept or lines[:1]), *closing]),
        limit=TEXT_LIMIT + 1000,
    )
