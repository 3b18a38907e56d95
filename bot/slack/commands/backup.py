"""`backup 백업`: how the backups stand; make one now, verify, restore into a fresh directory, replace a lost
repository."""

from __future__ import annotations

from pydantic import JsonValue

from bot.domain.backup.repositories import Place
from bot.slack.command import Answer, Asked, Command, misused
from bot.slack.operations import ask
from bot.slack.quoting import words_of
from messages.operation_facts import OperationProblemFacts, OperationRefusedFacts

_STATUS = ("status", "상태")
_NOW = ("now", "지금")
_VERIFY = ("verify", "검증")
_RESTORE = ("restore", "복원")
_REPLACE = ("replace", "교체")
_FROM = ("from", "출처")
_PLACES = {"local": Place.LOCAL, "로컬": Place.LOCAL, "offsite": Place.OFFSITE, "외부": Place.OFFSITE}
_USAGE = (
    "[status | now [SOURCE…] | verify [SOURCE…] "
    "| restore SOURCE DIRECTORY [SNAPSHOT] [from local|offsite] | replace local|offsite]"
)


async def _answer(asked: Asked) -> Answer:
    word, *rest = words_of(asked.text) or ("status",)
    match word.casefold():
        case folded if folded in _STATUS and not rest:
            return await _status(asked)
        case folded if folded in _NOW:
            return await ask(asked, "backup", _sources(rest), approved=True)
        case folded if folded in _VERIFY:
            return await ask(asked, "backup_verify", _sources(rest), approved=True)
        case folded if folded in _RESTORE:
            request = _restore(rest)
            if request is not None:
                return await ask(asked, "backup_restore", request)
        case folded if folded in _REPLACE and len(rest) == 1 and rest[0].casefold() in _PLACES:
            return await ask(asked, "backup_replace", {"place": _PLACES[rest[0].casefold()].value})
    return misused(asked, COMMAND, _USAGE, "backup_all")


async def _status(asked: Asked) -> Answer:
    backups = asked.guardian.backups
    facts = None if backups is None else await backups(asked.slash)
    if facts is None:
        problem = OperationProblemFacts("refused", "no_backup", {"why": "not_configured", "facts": {}})
        return Answer("operation_refused", OperationRefusedFacts("backup", "backup", problem, asked.slash))
    return Answer("backup", facts)


def _restore(words: list[str]) -> dict[str, JsonValue] | None:
    """`SOURCE DIRECTORY [SNAPSHOT] [from local|offsite]` as a request; None for anything else."""
    request: dict[str, JsonValue] = {}
    if len(words) > 3 and words[-2].casefold() in _FROM and words[-1].casefold() in _PLACES:
        *words, _, place = words
        request["place"] = _PLACES[place.casefold()].value
    if not 2 <= len(words) <= 3:
        return None
    request |= {"source": words[0], "target": words[1]}
    return request | ({"snapshot": words[2]} if len(words) > 2 else {})


def _sources(names: list[str]) -> dict[str, JsonValue]:
    return {"sources": [name[:80] for name in names]} if names else {}


COMMAND = Command(
    name="backup",
    korean="백업",
    arguments="[now|verify|restore SOURCE DIRECTORY|replace local|offsite]",
    order=19,
    answer=_answer,
)
