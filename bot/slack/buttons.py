"""The buttons on an alert's card and on a storm's."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.domain.alerts.reasons import Reason
from bot.slack.command import Answer
from bot.slack.commands.alerts import alert_detail
from bot.slack.commands.help import command_facts
from bot.slack.dispatch import Dispatcher
from messages.answer_facts import ClickFacts, HelpFacts, NotFoundFacts, StormAckedFacts

ACKNOWLEDGE = "alert_ack"
MORE = "alert_more"
SILENCE = "alert_silence"
USEFUL = "alert_useful"
USELESS = "alert_useless"
STORM = "storm_ack"

_ANSWERS = {
    Reason.ACKED: "ack_done",
    Reason.ACK_ALREADY: "already_acked",
    Reason.ACK_STALE: "stale_click",
    Reason.NOT_OPEN: "stale_click",
    Reason.STILL_BAD: "still_bad",
    Reason.RESOLVED_BY_HAND: "resolve_done",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a button knows: the alert, and the version that it was drawn for."""

    id: int
    version: int


def drawn(value: str) -> Drawn | None:
    """What the value of a button says; None when it is not one of ours."""
    number, version = _number(value, "id"), _number(value, "version")
    return None if number is None or version is None else Drawn(number, version)


def chosen(block_id: str) -> Drawn | None:
    """What the block of a menu says, `alert:ID:VERSION`; None when it is not one of ours."""
    match block_id.split(":"):
        case ["alert", number, version] if number.isdecimal() and version.isdecimal():
            return Drawn(int(number), int(version))
    return None


def about(value: str) -> int | None:
    """The number of the alert that a button without a version is about."""
    return _number(value, "id")


async def acknowledged(
    dispatcher: Dispatcher, value: str, user_id: str, *, on_card: bool = True
) -> Answer | None:
    """Someone pressed 확인: acknowledge, and say what became of it.

    None when the card itself says it: it is edited at once, unless Slack takes no letters just now, or the
    button was not on the card but on an answer that only they see.
    """
    button = drawn(value)
    if button is None:
        return _unknown(value)
    decision, alert = await dispatcher.guardian.acknowledge(button.id, user_id, button.version)
    if alert is None:
        return _unknown(str(button.id))
    if decision.reason is Reason.ACKED and on_card and not dispatcher.guardian.delivery_fails:
        return None
    return Answer(_ANSWERS[decision.reason], ClickFacts(alert=alert))


async def storm_acknowledged(dispatcher: Dispatcher, value: str, user_id: str) -> Answer:
    """Someone pressed 모두 확인 on a storm's card."""
    number = _number(value, "storm")
    if number is None:
        return _unknown(value)
    count = await dispatcher.guardian.acknowledge_storm(number, user_id)
    return Answer("storm_acked", StormAckedFacts(number, count))


async def rated(dispatcher: Dispatcher, value: str, user_id: str, *, useful: bool) -> Answer:
    """Someone said whether a resolved alert was right."""
    number = about(value)
    result = None if number is None else await dispatcher.guardian.rate(number, user_id, useful)
    return _unknown(value) if result is None else Answer("rating", result)


async def more(dispatcher: Dispatcher, choice: str, alert: Drawn | None, user_id: str) -> Answer | None:
    """Someone chose from the menu 더보기 on the card of that alert."""
    if alert is None or choice not in ("explain", "resolve"):
        facts = HelpFacts(command=dispatcher.slash, commands=command_facts(dispatcher.commands))
        return Answer("help", facts)
    if choice == "explain":
        return await alert_detail(dispatcher.asked(user_id), alert.id)
    return await _resolve(dispatcher, alert, user_id)


async def _resolve(dispatcher: Dispatcher, drawn_for: Drawn, user_id: str) -> Answer | None:
    decision, alert = await dispatcher.guardian.resolve(drawn_for.id, user_id, drawn_for.version)
    if alert is None:
        return _unknown(str(drawn_for.id))
    if decision.reason is Reason.RESOLVED_BY_HAND and not dispatcher.guardian.delivery_fails:
        return None
    return Answer(_ANSWERS[decision.reason], ClickFacts(alert=alert))


def _unknown(name: str) -> Answer:
    return Answer("not_found", NotFoundFacts(kind="alert", name=name[:20]))


def _number(value: str, name: str) -> int | None:
    try:
        return int(json.loads(value)[name])
    except (ValueError, TypeError, KeyError):
        return None
