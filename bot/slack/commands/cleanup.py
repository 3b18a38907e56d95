"""`cleanup 정리`: plan a cleanup, of all stages or of some; bring back what one moved."""

from __future__ import annotations

from pydantic import JsonValue

from bot.domain.cleanup.rules import Stage
from bot.slack.command import Answer, Asked, Command, misused, numbered
from bot.slack.operations import ask

_UNDO = ("undo", "되돌리기")
_STAGES = {
    "logs": Stage.LOGS,
    "log": Stage.LOGS,
    "로그": Stage.LOGS,
    "temporary": Stage.TEMPORARY,
    "temp": Stage.TEMPORARY,
    "tmp": Stage.TEMPORARY,
    "임시": Stage.TEMPORARY,
    "임시파일": Stage.TEMPORARY,
    "caches": Stage.CACHES,
    "cache": Stage.CACHES,
    "캐시": Stage.CACHES,
    "zombies": Stage.ZOMBIES,
    "zombie": Stage.ZOMBIES,
    "좀비": Stage.ZOMBIES,
}


async def _answer(asked: Asked) -> Answer:
    if asked.arguments and asked.arguments[0].casefold() in _UNDO:
        number = numbered(asked.arguments[1]) if len(asked.arguments) > 1 else None
        if number is None:
            return misused(asked, COMMAND, "undo N", "cleanup_undo")
        return await ask(asked, "cleanup_undo", {"run": number}, approved=True)
    # A word that names no stage goes on as it is: whoever makes the plan says which there are.
    stages: list[JsonValue] = [
        _STAGES[word.casefold()].value if word.casefold() in _STAGES else word[:40]
        for word in asked.arguments
    ]
    return await ask(asked, "cleanup", {"stages": stages} if stages else {})


COMMAND = Command(
    name="cleanup", korean="정리", arguments="[logs temp caches zombies|undo N]", order=18, answer=_answer
)
