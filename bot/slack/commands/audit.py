"""`audit 감사`: who did what, newest first, and what of it one asks for."""

from __future__ import annotations

from bot.slack.audit_words import codes_of
from bot.slack.command import MENTION, Answer, Asked, Command, misused
from bot.slack.quoting import words_of

_SHOWN, _MOST = 20, 30
_MOST_WORDS = 5
_ARGUMENTS = f"[1-{_MOST}] [<NUMBER] [WORDS]"


async def _answer(asked: Asked) -> Answer:
    # A name in a mention may have blanks.
    words = [word for word in words_of(MENTION.sub(r" \1 ", asked.text)) if word]
    limit, before = _SHOWN, None
    if words and words[0].isdecimal():
        limit = _number(words.pop(0)) or 0
    if words and words[0].startswith("<"):
        before = _number(words.pop(0)[1:])
        limit = limit if before is not None else 0
    if not 1 <= limit <= _MOST or len(words) > _MOST_WORDS:
        return misused(asked, COMMAND)
    codes = {word: codes_of(word) for word in words}
    return Answer("audit", await asked.guardian.audit.latest(limit, words, before, asked.slash, codes))


def _number(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 18 else None


COMMAND = Command(name="audit", korean="감사", arguments=_ARGUMENTS, order=7, answer=_answer)
