"""The alert's card. It is edited in place, so the same facts always give the same card."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block
from slackblocks.elements import Element

from messages import blocks
from messages.blocks import Draft
from messages.templates import Words


def layout(words: Words, alert: Mapping[str, JsonValue]) -> Draft:
    """The headline, and beside a bar in the level's colour the rest (`messages.facts.AlertFacts`)."""
    headline = words("headline", alert)
    body: list[Block] = [
        blocks.section("judgement", words("judgement", alert), fields=words("fields", alert).splitlines()),
    ]
    details = words("details", alert)
    if details:
        body.append(blocks.section("details", details))
    buttons = _buttons(words, alert)
    if buttons:
        body.append(blocks.actions(f"alert:{alert['id']}:{alert['version']}", *buttons))
    body.append(blocks.context("small", words("small", alert)))
    color = "resolved" if alert["status"] == "resolved" else str(alert["level"])
    return Draft(
        headline,
        (blocks.section("headline", words("shown_headline", alert)),),
        (blocks.attachment(color, body, headline),),
    )


def _buttons(words: Words, alert: Mapping[str, JsonValue]) -> list[Element]:
    """확인 while nobody has taken the alert, 더보기 while it is open, nothing once it is resolved."""
    if alert["status"] == "resolved":
        return []
    more = blocks.overflow(
        "alert_more", [(words("explain_option"), "explain"), (words("help_option"), "help")]
    )
    if alert["status"] != "firing":
        return [more]
    return [ack_button(words("ack_button"), alert), more]


def ack_button(text: str, alert: Mapping[str, JsonValue]) -> Element:
    """The button that acknowledges this version of the alert; a later version answers that it is stale."""
    value: dict[str, JsonValue] = {"id": alert["id"], "version": alert["version"]}
    return blocks.button(text, "alert_ack", value, primary=True)
