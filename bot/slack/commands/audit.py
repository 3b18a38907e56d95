"""`audit 감사`: who did what, newest first, and what of it one asks for."""

from __future__ import annotations

from bot.slack.command import MENTION, Answer, Asked, Command
from messages.answer_facts import BadArgumentFacts

_SHOWN, _MOST = 20, 30
_MOST_WORDS = 5
_ARGUMENTS = f"[1-{_MOST}] [<NUMBER] [WORDS]"
_WORDS = {
    "알림": "alert.",
    "폭주": "storm.",
    "침묵": "silence.",
    "점검창": "maintenance.",
    "당직": "oncall.",
    "완료": "done",
    "거절": "refused",
    "실패": "failed",
}
"""What stands for the codes in Korean: the words of the commands, and the outcomes as they are shown."""


async def _answer(asked: Asked) -> Answer:
    # A name in a mention may have blanks, at which the line was cut.
    words = MENTION.sub(r" \1 ", " ".join(asked.arguments)).split()
    limit, before = _SHOWN, None
    if words and words[0].isdecimal():
        limit = _number(words.pop(0)) or 0
    if words and words[0].startswith("<"):
        before = _number(words.pop(0)[1:])
        limit = limit if before is not None else 0
    if not 1 <= limit <= _MOST or len(words) > _MOST_WORDS:
        typed = " ".join(asked.arguments)
        return Answer("bad_argument", BadArgumentFacts(asked.slash, COMMAND.name, typed, _ARGUMENTS))
    sought = [_WORDS.get(word, word) for word in words]
    return Answer("audit", await asked.guardian.audit.latest(limit, sought, before, asked.slash))


def _number(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 18 else None


COMMAND = Command(name="audit", korean="감사", arguments=_ARGUMENTS, order=7, answer=_answer)
