"""`explain 근거`: every decision about an alert with its reason, and every page."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command, misused, numbered
from messages.answer_facts import NotFoundFacts

_ARGUMENTS = "ID"


async def _answer(asked: Asked) -> Answer:
    typed = " ".join(asked.arguments)
    number = numbered(typed)
    if number is None:
        return misused(asked, COMMAND)
    found = await asked.guardian.explain(number)
    if found is None:
        return Answer("not_found", NotFoundFacts(kind="alert", name=f"#{typed.removeprefix('#')}"))
    return Answer("explain", found)


COMMAND = Command(name="explain", korean="근거", arguments=_ARGUMENTS, order=4, answer=_answer)
