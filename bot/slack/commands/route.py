"""`route 경로`: which way an alert with some labels goes, and who is paged when."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from messages.cover_facts import RouteFacts


async def _answer(asked: Asked) -> Answer:
    found = asked.guardian.covers.route(" ".join(asked.arguments))
    return Answer("route" if isinstance(found, RouteFacts) else "cover_refused", found)


COMMAND = Command(name="route", korean="경로", arguments="[LABELS]", order=6, answer=_answer)
