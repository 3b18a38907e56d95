"""Why there is no plan, and a button that helps where one does (`OperationRefusedFacts`)."""

from __future__ import annotations

from collections.abc import Mapping
from string import hexdigits

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.templates import Words


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The sentence, and below it the button."""
    text = words("text", facts)
    body: list[Block] = [blocks.section("text", text)]
    if facts["remedy"] == "backup":
        button = blocks.button(words("remedy_button"), "op_remedy", {"id": 0}, primary=True)
        body.append(blocks.actions("remedy", button))
    elif facts["remedy"] == "stop":
        values = facts["problem"]["values"] if isinstance(facts["problem"], Mapping) else None
        about = values if isinstance(values, Mapping) else {}
        number = about.get("id")
        digits = "".join(each for each in str(about.get("hash", "")) if each in hexdigits)[:64]
        value: dict[str, JsonValue] = {"id": number if isinstance(number, int) else 0, "hash": digits}
        body.append(blocks.actions("remedy", blocks.danger(words("stop_button"), "op_stop", value)))
    return Draft(text, tuple(body))
