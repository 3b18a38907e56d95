"""`alerts 알림`: what is open, the latest ones, or one of them with its history."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from messages.answer_facts import BadArgumentFacts, NotFoundFacts
from messages.facts import AlertDetailFacts, AlertListFacts

_SHOWN = 20
_ALL = ("all", "전체")
_ARGUMENTS = "[all|ID]"


async def _answer(asked: Asked) -> Answer:
    match [argument.casefold() for argument in asked.arguments]:
        case []:
            alerts = asked.guardian.open_alerts()
            return Answer("alerts", AlertListFacts(alerts=alerts[:_SHOWN], filter="open", total=len(alerts)))
        case [word] if word in _ALL:
            latest = await asked.guardian.recent_alerts(_SHOWN)
            return Answer("alerts", AlertListFacts(alerts=latest, filter="all", total=len(latest)))
        case [word] if word.removeprefix("#").isdecimal() and len(word) < 18:
            number = int(word.removeprefix("#"))
            return await alert_detail(asked, number)
    return Answer(
        "bad_argument",
        BadArgumentFacts(
            command=asked.slash, name=COMMAND.name, argument=" ".join(asked.arguments), usage=_ARGUMENTS
        ),
    )


async def alert_detail(asked: Asked, alert_id: int) -> Answer:
    """One alert and every decision about it."""
    found = await asked.guardian.alert(alert_id)
    if found is None:
        known = tuple(str(alert.id) for alert in asked.guardian.open_alerts()[:5])
        return Answer("not_found", NotFoundFacts(kind="alert", name=str(alert_id), known=known))
    alert, decisions = found
    return Answer("alert_detail", AlertDetailFacts(alert=alert, decisions=decisions))


COMMAND = Command(name="alerts", korean="알림", arguments=_ARGUMENTS, order=3, answer=_answer)
