"""`lock 잠금`: keep all operations off something for a while, with a reason."""

from __future__ import annotations

from bot.domain.time_notation import leading_length
from bot.slack.command import Answer, Asked, Command
from bot.slack.commands.ops import COMMAND as OPS
from bot.slack.quoting import leading_word
from messages.operation_facts import LockAnswerFacts


async def _answer(asked: Asked) -> Answer:
    locks = asked.guardian.locks
    if locks is None:
        return await OPS.answer(asked)
    subject, text = leading_word(asked.text)
    if not subject:
        return Answer("lock_answer", LockAnswerFacts("lock", "no_subject", "", asked.slash))
    length, reason = leading_length(text) or (None, text)
    return Answer("lock_answer", await locks.lock(subject, asked.user_id, length, reason))


COMMAND = Command(name="lock", korean="잠금", arguments="SUBJECT [2h] REASON", order=21, answer=_answer)
