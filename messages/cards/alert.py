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
    for part in ("insight", "details", "people"):
        text = words(part, alert)
        if text:
            body.append(blocks.section(part, text))
    picture = _picture(words, alert)
    if picture is not None:
        body.append(picture)
    offered = buttons(words, alert)
    if offered:
        body.append(blocks.actions(f"alert:{alert['id']}:{alert['version']}", *offered))
    body.append(blocks.context("small", words("small", alert)))
    color = "resolved" if alert["status"] == "resolved" else str(alert["level"])
    return Draft(
        headline,
        (blocks.section("headline", words("shown_headline", alert)),),
        (blocks.attachment(color, body, headline),),
    )


def _picture(words: Words, alert: Mapping[str, JsonValue]) -> Block | None:
    """The chart of the last hours, once it is drawn."""
    extras = alert["extras"]
    picture = extras.get("picture") if isinstance(extras, Mapping) else None
    return blocks.image("chart", picture, words("picture_alt", alert)) if isinstance(picture, str) else None


def buttons(words: Words, alert: Mapping[str, JsonValue]) -> list[Element]:
    """확인 while nobody has taken the alert, 더보기 while it is open; once it is resolved, whether it was
    right to call."""
    if alert["status"] == "resolved":
        about: dict[str, JsonValue] = {"id": alert["id"]}
        return [
            blocks.button(words("useful_button"), "alert_useful", about),
            blocks.button(words("useless_button"), "alert_useless", about),
        ]
    options = ("explain", "silence", "resolve", "help")
    more = blocks.overflow("alert_more", [(words(f"{option}_option"), option) for option in options])
    offered: list[Element] = [] if alert["status"] != "firing" else [ack_button(words("ack_button"), alert)]
    back = _back_button(words, alert)
    return [*offered, more] if back is None else [*offered, back, more]


def _back_button(words: Words, alert: Mapping[str, JsonValue]) -> Element | None:
    """Takes the deployment back that went before the alert, where it is one of ours and not back already."""
    extras = alert["extras"]
    change = extras.get("deployment") if isinstance(extras, Mapping) else None
    facts = change.get("facts") if isinstance(change, Mapping) else None
    if not isinstance(change, Mapping) or not isinstance(facts, Mapping):
        return None
    operation = facts.get("operation")
    if not isinstance(operation, int) or facts.get("event") == "back" or facts.get("kind") == "rollback":
        return None
    text, title, yes, no = words("back_button").splitlines()
    value: dict[str, JsonValue] = {"operation": operation}
    return blocks.danger(text, "deploy_rollback", value, (title, words("back_question", change), yes, no))


def ack_button(text: str, alert: Mapping[str, JsonValue]) -> Element:
    """The button that acknowledges this version of the alert; a later version answers that it is stale."""
    value: dict[str, JsonValue] = {"id": alert["id"], "version": alert["version"]}
    return blocks.button(text, "alert_ack", value, primary=True)
