"""`unlock 잠금해제`: lift a lock that a person took."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from bot.slack.commands.ops import COMMAND as OPS
from bot.slack.quoting import leading_word


async def _answer(asked: Asked) -> Answer:
    locks = asked.guardian.locks
    if locks is None:
        return await OPS.answer(asked)
    subject, _ = leading_word(asked.text)
    return Answer("lock_answer", await locks.unlock(subject, asked.user_id))


COMMAND = Command(name="unlock", korean="잠금해제", arguments="SUBJECT", order=22, answer=_answer)
