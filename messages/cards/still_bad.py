"""Why an alert was not marked as resolved, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks.elements import Element

from messages import blocks
from messages.blocks import Draft
from messages.cards.alert import ack_button
from messages.templates import Words


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The sentence with buttons for what is possible (`messages.answer_facts.ClickFacts`)."""
    alert = facts["alert"]
    if not isinstance(alert, Mapping):
        raise TypeError("an alert was expected")
    text, card = words("text", facts), words.of("alert")
    buttons: list[Element] = []
    if alert["status"] == "firing":
        buttons.append(ack_button(card("ack_button"), alert))
    buttons.append(blocks.button(card("silence_option"), "alert_silence", {"id": alert["id"]}))
    return Draft(text, (blocks.section("text", text), blocks.actions(f"instead:{alert['id']}", *buttons)))
