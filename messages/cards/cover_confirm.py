"""A silence or window that would hide everything: what that is, and the button for those who mean it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

SHOWN = 5
_VALUE_LIMIT = 2000
_ASKED = ("what", "matcher", "starts_at", "ends_at", "reason")


def packed(facts: Mapping[str, JsonValue]) -> str:
    """What was asked for, for the value of a button: in letters that say nothing to Slack."""
    asked = json.dumps({name: facts[name] for name in _ASKED}, ensure_ascii=False)
    return base64.urlsafe_b64encode(asked.encode(errors="replace")).decode()


def unpacked(text: str) -> Mapping[str, str]:
    """What `packed` made it of; ValueError for a text that it did not make."""
    asked = json.loads(base64.urlsafe_b64decode(text.encode()))
    if not isinstance(asked, dict) or any(not isinstance(asked.get(name), str) for name in _ASKED):
        raise ValueError(text)
    return asked


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The question (`messages.cover_facts.CoverConfirmFacts`). What was asked for is in the button; what is
    too long for one has to be typed again."""
    headline = words("headline", facts)
    body: list[Block] = [
        blocks.section("headline", f"*{headline}*"),
        blocks.section("question", words("question", facts)),
    ]
    lines = [words("alert", each) for each in rows(facts["hides"])[:SHOWN]]
    total = facts["total"]
    if isinstance(total, int) and total > len(lines):
        lines.append(words("more", total - len(lines)))
    if lines:
        body.append(blocks.section("hides", "\n".join(lines)))
    value: dict[str, JsonValue] = {"asked": packed(facts)}
    if len(json.dumps(value)) <= _VALUE_LIMIT:
        button = blocks.danger(words("button", facts), "cover_confirm", value)
        body.append(blocks.actions("confirm", button))
    body.append(blocks.context("how", words("how", facts)))
    return Draft(headline, tuple(body))
