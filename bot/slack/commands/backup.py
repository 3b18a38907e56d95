"""`backup 백업`: how the backups stand; make one now, verify, restore into a fresh directory."""

from __future__ import annotations

from pydantic import JsonValue

from bot.slack.command import Answer, Asked, Command, misused
from bot.slack.operations import ask
from bot.slack.quoting import words_of
from messages.operation_facts import OperationProblemFacts, OperationRefusedFacts

_STATUS = ("status", "상태")
_NOW = ("now", "지금")
_VERIFY = ("verify", "검증")
_RESTORE = ("restore", "복원")
_USAGE = "[status | now [SOURCE…] | verify [SOURCE…] | restore SOURCE DIRECTORY [SNAPSHOT]]"


async def _answer(asked: Asked) -> Answer:
    word, *rest = words_of(asked.text) or ("status",)
    match word.casefold():
        case folded if folded in _STATUS and not rest:
            return await _status(asked)
        case folded if folded in _NOW:
            return await ask(asked, "backup", _sources(rest), approved=True)
        case folded if folded in _VERIFY:
            return await ask(asked, "backup_verify", _sources(rest), approved=True)
        case folded if folded in _RESTORE and 2 <= len(rest) <= 3:
            request: dict[str, JsonValue] = {"source": rest[0], "target": rest[1]}
            if len(rest) > 2:
                request["snapshot"] = rest[2]
            return await ask(asked, "backup_restore", request)
    return misused(asked, COMMAND, _USAGE, "backup_all")


async def _status(asked: Asked) -> Answer:
    backups = asked.guardian.backups
    facts = None if backups is None else await backups(asked.slash)
    if facts is None:
        problem = OperationProblemFacts("refused", "no_backup", {"why": "not_configured", "facts": {}})
        return Answer("operation_refused", OperationRefusedFacts("backup", "backup", problem, asked.slash))
    return Answer("backup", facts)


def _sources(names: list[str]) -> dict[str, JsonValue]:
    return {"sources": [name[:80] for name in names]} if names else {}


COMMAND = Command(
    name="backup", korean="백업", arguments="[now|verify|restore SOURCE DIRECTORY]", order=19, answer=_answer
)
