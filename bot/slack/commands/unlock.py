"""`unlock 잠금해제`: lift a lock that a person took."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from bot.slack.commands.ops import COMMAND as OPS


async def _answer(asked: Asked) -> Answer:
    locks = asked.guardian.locks
    if locks is None:
        return await OPS.answer(asked)
    subject = asked.arguments[0] if asked.arguments else ""
    return Answer("lock_answer", await locks.unlock(subject, asked.user_id))


COMMAND = Command(name="unlock", korean="잠금해제", arguments="SUBJECT", order=22, answer=_answer)
