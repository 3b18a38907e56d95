"""`silence 침묵`: be silent about some alerts for a while, list the silences, lift one."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command, numbered
from bot.slack.cover_answers import told, without_all
from messages.answer_facts import NotFoundFacts, NumberMissingFacts
from messages.cover_facts import SilenceListFacts

_LIFT = ("lift", "해제")
_LIST = ("list", "목록")


async def _answer(asked: Asked) -> Answer:
    match asked.arguments:
        case ():
            return silence_list(asked)
        case (word,) if word.casefold() in _LIST:
            return silence_list(asked)
        case (word,) if word.casefold() in _LIFT:
            return Answer("number_missing", NumberMissingFacts("silence", asked.slash, _numbers(asked)))
        case (word, number) if word.casefold() in _LIFT:
            return await lifted(asked, number)
    text, confirmed = without_all(asked.arguments)
    return told(await asked.guardian.covers.silence(text, asked.user_id, confirmed=confirmed))


def silence_list(asked: Asked) -> Answer:
    """The silences that hold or will."""
    covers = asked.guardian.covers
    return Answer("silences", SilenceListFacts(covers.silences(), covers.now().isoformat(), asked.slash))


async def lifted(asked: Asked, number: str) -> Answer:
    """The silence of that number is lifted."""
    covers = asked.guardian.covers
    found = numbered(number)
    done = None if found is None else await covers.lift(found, asked.user_id)
    if done is None:
        return Answer("not_found", NotFoundFacts(kind="silence", name=number, known=_numbers(asked)[:5]))
    return Answer("silence_done", done)


def _numbers(asked: Asked) -> tuple[str, ...]:
    return tuple(str(silence.id) for silence in asked.guardian.covers.silences())


COMMAND = Command(
    name="silence", korean="침묵", arguments="[MATCHERS for 2h REASON|lift N]", order=4, answer=_answer
)
