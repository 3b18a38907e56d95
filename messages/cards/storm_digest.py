"""What happened to alerts of a storm: every one by name, those of one kind in one line."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from messages.blocks import Draft
from messages.cards.readings import rows
from messages.escape import value_text
from messages.templates import Words

TEXT_LIMIT = 39_000
"""Characters of the text; Slack cuts one above 40,000. Blocks could not hold so much."""
_TARGET = 200


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """A text without blocks (`messages.facts.StormDigestFacts`)."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for line in rows(facts["lines"]):
        name = str(line["title"] or line["metric"])
        group = (str(line["what"]), str(line["level"]), name, str(line["service"]))
        # A thousand calls of the template for a thousand names would take longer than everything else.
        groups.setdefault(group, []).append(value_text(line["target"], _TARGET))
    text = "\n".join(words("group", *group, targets) for group, targets in groups.items())
    return Draft(text, limit=TEXT_LIMIT)
