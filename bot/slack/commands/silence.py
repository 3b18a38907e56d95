"""`silence 침묵`: be silent about some alerts for a while, list the silences, lift one."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from messages.answer_facts import NotFoundFacts
from messages.cover_facts import CoverConfirmFacts, CoverRefusedFacts, SilenceDoneFacts, SilenceListFacts

_LIFT = ("lift", "해제")
_ALL = ("--all", "—all", "--전체", "—전체")
"""What says that everything is meant; some keyboards make one dash of two."""
_LIST = ("list", "목록")


async def _answer(asked: Asked) -> Answer:
    match asked.arguments:
        case ():
            return silence_list(asked)
        case (word,) if word.casefold() in _LIST:
            return silence_list(asked)
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
    digits = number.removeprefix("#")
    done = None
    if digits.isdecimal() and len(digits) < 18:
        done = await covers.lift(int(digits), asked.user_id)
    if done is None:
        known = tuple(str(silence.id) for silence in covers.silences()[:5])
        return Answer("not_found", NotFoundFacts(kind="silence", name=number, known=known))
    return Answer("silence_done", done)


def told(outcome: SilenceDoneFacts | CoverRefusedFacts | CoverConfirmFacts) -> Answer:
    """What became of a silence that somebody asked for."""
    match outcome:
        case SilenceDoneFacts():
            return Answer("silence_done", outcome)
        case CoverConfirmFacts():
            return Answer("cover_confirm", outcome)
    return Answer("cover_refused", outcome)


def without_all(arguments: tuple[str, ...]) -> tuple[str, bool]:
    """The line without the word that says that everything is meant, and whether it was there."""
    rest = [word for word in arguments if word.casefold() not in _ALL]
    return " ".join(rest), len(rest) < len(arguments)


COMMAND = Command(
    name="silence", korean="침묵", arguments="[MATCHERS for 2h REASON|lift N]", order=4, answer=_answer
)
