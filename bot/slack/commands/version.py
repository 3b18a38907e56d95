"""`version 버전`: which Guardian this is."""

from __future__ import annotations

import platform

from bot.slack.command import Answer, Asked, Command
from messages.answer_facts import VersionFacts


async def _answer(asked: Asked) -> Answer:
    identity = asked.guardian.identity
    return Answer(
        "version",
        VersionFacts(
            version=identity.version,
            python=platform.python_version(),
            host=identity.host,
            started_at=identity.started_at.isoformat(),
        ),
    )


COMMAND = Command(name="version", korean="버전", arguments="", order=9, answer=_answer)
