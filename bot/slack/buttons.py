"""The buttons on an alert's card."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.domain.alerts.reasons import Reason
from bot.slack.command import Answer
from bot.slack.commands.alerts import alert_detail
from bot.slack.commands.help import command_facts
from bot.slack.dispatch import Dispatcher
from messages.answer_facts import ClickFacts, HelpFacts, NotFoundFacts

ACKNOWLEDGE = "alert_ack"
MORE = "alert_more"

_ANSWERS = {
    Reason.ACKED: "ack_done",
    Reason.ACK_ALREADY: "already_acked",
    Reason.ACK_STALE: "stale_click",
    Reason.NOT_OPEN: "stale_click",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a button knows: the alert, and the version that it was drawn for."""

    id: int
    version: int


def drawn(value: str) -> Drawn | None:
    """What the value of a button says; None when it is not one of ours."""
    try:
        data = json.loads(value)
        return Drawn(int(data["id"]), int(data["version"]))
    except (ValueError, TypeError, KeyError):
        return None


async def acknowledged(dispatcher: Dispatcher, value: str, user_id: str) -> Answer | None:
    """Someone pressed 확인: acknowledge, and say what became of it.

    None when the card itself says it: it is edited at once, unless Slack takes no letters just now.
    """
    button = drawn(value)
    if button is None:
        return Answer("not_found", NotFoundFacts(kind="alert", name=value[:20]))
    decision, alert = await dispatcher.guardian.acknowledge(button.id, user_id, button.version)
    if alert is None:
        return Answer("not_found", NotFoundFacts(kind="alert", name=str(button.id)))
    if decision.reason is Reason.ACKED and not dispatcher.guardian.delivery_fails:
        return None
    return Answer(_ANSWERS[decision.reason], ClickFacts(alert=alert))


async def more(dispatcher: Dispatcher, choice: str, block_id: str, user_id: str) -> Answer:
    """Someone chose from the menu 더보기; the block says which alert it is about."""
    number = block_id.split(":")[1] if block_id.startswith("alert:") else ""
    if choice != "explain" or not number.isdecimal():
        facts = HelpFacts(command=dispatcher.slash, commands=command_facts(dispatcher.commands))
        return Answer("help", facts)
    return await alert_detail(dispatcher.asked(user_id), int(number))
