"""`maintenance 점검창`: times at which trouble is expected; make one, end one, list them."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command, misused, numbered
from bot.slack.cover_answers import told, without_all
from messages.answer_facts import NotFoundFacts, NumberMissingFacts
from messages.cover_facts import WindowListFacts

_ADD = ("add", "추가")
_END = ("end", "끝")
_LIST = ("list", "목록")
_ARGUMENTS = "[add MATCHERS FROM-UNTIL REASON|end N]"


async def _answer(asked: Asked) -> Answer:
    match asked.arguments:
        case ():
            return window_list(asked)
        case (word,) if word.casefold() in _LIST:
            return window_list(asked)
        case (word,) if word.casefold() in _END:
            return Answer("number_missing", NumberMissingFacts("window", asked.slash, _numbers(asked)))
        case (word, number) if word.casefold() in _END:
            return await ended(asked, number)
        case (word, *rest) if word.casefold() in _ADD:
            text, confirmed = without_all(tuple(rest))
            return told(await asked.guardian.covers.maintain(text, asked.user_id, confirmed=confirmed))
    return misused(asked, COMMAND)


def window_list(asked: Asked) -> Answer:
    """The windows that are under way or will be."""
    covers = asked.guardian.covers
    return Answer("maintenance", WindowListFacts(covers.windows(), covers.now().isoformat(), asked.slash))


async def ended(asked: Asked, number: str) -> Answer:
    """The window of that number is ended."""
    covers = asked.guardian.covers
    found = numbered(number)
    done = None if found is None else await covers.end(found, asked.user_id)
    if done is None:
        return Answer("not_found", NotFoundFacts(kind="window", name=number, known=_numbers(asked)[:5]))
    return Answer("maintenance_done", done)


def _numbers(asked: Asked) -> tuple[str, ...]:
    """Of those that a command made: the configuration's have none."""
    return tuple(str(window.id) for window in asked.guardian.covers.windows() if window.id)


COMMAND = Command(name="maintenance", korean="점검창", arguments=_ARGUMENTS, order=5, answer=_answer)
