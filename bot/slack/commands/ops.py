"""`ops 작업`: what runs and waits, who keeps whom off what, and what was; or one operation."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command, numbered
from messages.answer_facts import NotFoundFacts


async def _answer(asked: Asked) -> Answer:
    desk = asked.guardian.operations
    if desk is None:
        return Answer("not_found", NotFoundFacts("operation", "?"))
    if not asked.arguments:
        return Answer("ops", await desk.overview())
    number = numbered(asked.arguments[0])
    found = None if number is None else await desk.one(number)
    if found is None:
        known = tuple(f"#{each.id}" for each in (await desk.overview()).open[:5])
        return Answer("not_found", NotFoundFacts("operation", asked.arguments[0], known))
    return Answer("operation", found)


COMMAND = Command(name="ops", korean="작업", arguments="[N]", order=20, answer=_answer)
