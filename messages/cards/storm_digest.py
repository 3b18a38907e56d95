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
    lines: list[str] = []
    for group in rows(facts["groups"]):
        name = str(group["title"] or group["metric"])
        targets = group["targets"]
        # A thousand calls of the template for a thousand names would take longer than everything else.
        names = [value_text(target, _TARGET) for target in targets] if isinstance(targets, list) else []
        lines.append(words("group", group["what"], group["level"], name, group["service"], names))
    return Draft("\n".join(lines), limit=TEXT_LIMIT)
