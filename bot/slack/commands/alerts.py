"""`alerts 알림`: what is open, the latest ones, those that match, or one of them with its history."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.matcher_notation import MatcherInvalid, parse
from bot.domain.matchers import Matcher
from bot.slack.command import Answer, Asked, Command, misused, numbered
from messages.answer_facts import NotFoundFacts
from messages.cover_facts import CoverRefusedFacts
from messages.facts import AlertDetailFacts, AlertListFacts

_SHOWN = 20
_ALL = ("all", "전체")
_ARGUMENTS = "[all] [MATCHERS]|ID"


async def _answer(asked: Asked) -> Answer:
    words = list(asked.arguments)
    everything = bool(words) and words[0].casefold() in _ALL
    rest = words[1:] if everything else words
    number = numbered(rest[0]) if not everything and len(rest) == 1 else None
    if number is not None:
        return await alert_detail(asked, number)
    matcher = _matcher(asked, rest)
    if isinstance(matcher, Answer):
        return matcher
    if not everything:
        shown, total = asked.guardian.open_alerts(_SHOWN, matcher)
        return Answer("alerts", AlertListFacts(shown, "open", total, _text(matcher)))
    latest = await asked.guardian.recent_alerts(_SHOWN, matcher)
    return Answer("alerts", AlertListFacts(latest, "all", len(latest), _text(matcher)))


def _matcher(asked: Asked, words: Sequence[str]) -> Matcher | Answer | None:
    """What the words ask for; None when they ask for nothing in particular, an answer when they are wrong."""
    text = " ".join(words)
    if not text:
        return None
    if not any(sign in text for sign in "=<>~"):
        return misused(asked, COMMAND)
    try:
        return parse(text)
    except MatcherInvalid as invalid:
        fault = f"matcher_{invalid.fault.value}"
        return Answer(
            "cover_refused", CoverRefusedFacts(COMMAND.name, fault, asked.slash, dict(invalid.values))
        )


def _text(matcher: Matcher | None) -> str:
    return "" if matcher is None else str(matcher)


async def alert_detail(asked: Asked, alert_id: int) -> Answer:
    """One alert with the latest decisions about it."""
    found = await asked.guardian.alert(alert_id)
    if found is None:
        shown, _ = asked.guardian.open_alerts(5)
        known = tuple(str(alert.id) for alert in shown)
        return Answer("not_found", NotFoundFacts(kind="alert", name=str(alert_id), known=known))
    alert, decisions = found
    return Answer("alert_detail", AlertDetailFacts(alert=alert, decisions=decisions))


COMMAND = Command(name="alerts", korean="알림", arguments=_ARGUMENTS, order=3, answer=_answer)
