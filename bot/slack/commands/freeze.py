"""`freeze 동결`: keep operations from starting for a while; list the freezes, end one."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.time_notation import leading_length
from bot.slack.command import Answer, Asked, Command, numbered
from bot.slack.commands.ops import COMMAND as OPS
from bot.slack.quoting import leading_word

_END = ("end", "끝", "종료", "해제", "lift")
_LIST = ("list", "목록")
_TYPED_LIMIT = 40


async def _answer(asked: Asked) -> Answer:
    locks = asked.guardian.locks
    if locks is None:
        return await OPS.answer(asked)
    match asked.arguments:
        case ():
            return Answer("freeze_answer", await locks.freezes())
        case (word,) if word.casefold() in _LIST:
            return Answer("freeze_answer", await locks.freezes())
        case (word, *numbers) if word.casefold() in _END:
            number = numbered(numbers[0]) if numbers else None
            return Answer("freeze_answer", await locks.thaw(number or 0, asked.user_id))
    subject, text = leading_word(asked.text)
    length, reason = leading_length(text) or (None, text)
    facts = await locks.freeze(subject, asked.user_id, length, reason)
    if facts.outcome == "bad_length" and length is not None:
        facts = replace(facts, typed=text.strip().removesuffix(reason).strip()[:_TYPED_LIMIT])
    return Answer("freeze_answer", facts)


COMMAND = Command(
    name="freeze", korean="동결", arguments="[SUBJECT 2h REASON|end N]", order=23, answer=_answer
)
