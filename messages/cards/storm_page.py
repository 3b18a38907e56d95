"""People are called for many alerts of a storm: those of one kind are named once, with their targets."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.escape import Ready
from messages.templates import Words

_NAMED = 10
"""Targets that are named; the thread above has them all."""
_RANK = ("emergency", "critical", "error", "warning", "info")


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The call, and a line for each kind of alert, the worst first (`messages.facts.StormPageFacts`)."""
    lines = sorted(rows(facts["lines"])[:_NAMED], key=lambda line: _RANK.index(str(line["level"])))
    groups: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        group = (str(line["level"]), str(line["title"] or line["metric"]))
        groups.setdefault(group, []).append(Ready(words("target", line)))
    said = [words("head", facts), *(words("group", *group, names) for group, names in groups.items())]
    total = facts["total"]
    if isinstance(total, int) and total > len(lines):
        said.append(words("more", total - len(lines)))
    text = "\n".join(said)
    return Draft(text, (blocks.section("text", text),))
