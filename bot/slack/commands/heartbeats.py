"""`heartbeats 생존신호`: every job that must report, its last report and when the next is due."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from messages.elsewhere_facts import HeartbeatListFacts


async def _answer(asked: Asked) -> Answer:
    return Answer("heartbeats", HeartbeatListFacts(asked.guardian.heartbeats()))


COMMAND = Command(name="heartbeats", korean="생존신호", arguments="", order=6, answer=_answer)
