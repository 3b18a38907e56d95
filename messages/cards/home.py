"""The Home tab: the state, what is open with its buttons, and how to talk to the Guardian."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.alert import ack_button
from messages.cards.help import command_lines
from messages.cards.readings import reading_lines, rows
from messages.cards.status import open_count
from messages.templates import Words

ALERTS_SHOWN = 20


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The blocks of the view (`messages.facts.HomeFacts`); a click carries the view and no message."""
    status = facts["status"]
    if not isinstance(status, Mapping):
        raise TypeError("a status was expected")
    state, help_ = words.of("status"), words.of("help")
    headline = state("headline", status)
    body: list[Block] = [blocks.header("state", headline)]
    body += _alerts(words, rows(status["alerts"])[:ALERTS_SHOWN], open_count(status))
    body.append(blocks.divider("line:readings"))
    body.append(blocks.section("readings", "\n".join(reading_lines(state, rows(status["readings"])))))
    troubles = state("troubles", status)
    if troubles:
        body.append(blocks.section("troubles", troubles))
    body.append(blocks.context("small", state("small", status)))
    body.append(blocks.divider("line:talk"))
    body.append(blocks.section("talk", "\n".join([words("talk"), *command_lines(help_, facts)])))
    body.append(blocks.context("ways", help_("ways")))
    return Draft(headline, tuple(body))


def _alerts(words: Words, alerts: list[Mapping[str, JsonValue]], count: int) -> list[Block]:
    """A section for each open alert, with 확인 while nobody has taken it."""
    state, card = words.of("status"), words.of("alert")
    if not count:
        return [blocks.section("alerts", state("no_alerts"))]
    body: list[Block] = [blocks.section("alerts", state("alerts_head", count))]
    for alert in alerts:
        button = ack_button(card("ack_button"), alert) if alert["status"] == "firing" else None
        body.append(blocks.section(f"alert:{alert['id']}", state("alert", alert), accessory=button))
    if count > len(alerts):
        body.append(blocks.context("more_alerts", state("more_alerts", count - len(alerts))))
    return body
