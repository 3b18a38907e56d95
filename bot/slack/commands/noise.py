"""`noise 소음`: which rules paged most for least, and how right alerts were."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command, misused

_DAYS = 30
_MOST_DAYS = 90
"""Alerts that are over are kept so long."""
_ARGUMENTS = f"[1-{_MOST_DAYS}]"


async def _answer(asked: Asked) -> Answer:
    match asked.arguments:
        case []:
            return Answer("noise", await asked.guardian.noise(_DAYS))
        case [word] if _is_days(word):
            return Answer("noise", await asked.guardian.noise(int(word)))
    return misused(asked, COMMAND)


def _is_days(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= 2 and 1 <= int(word) <= _MOST_DAYS


COMMAND = Command(name="noise", korean="소음", arguments=_ARGUMENTS, order=7, answer=_answer)
