"""`status 상태`: how the system is, now."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command


async def _answer(asked: Asked) -> Answer:
    return Answer("status", asked.guardian.status())


COMMAND = Command(name="status", korean="상태", arguments="", order=1, answer=_answer)
