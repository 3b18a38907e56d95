"""`rollback 롤백`: plan the way back to a release that is kept, the one before if none is named."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from bot.slack.deploy_commands import answer
from bot.slack.deploying import ROLLBACK, read_rollback


async def _answer(asked: Asked) -> Answer:
    return await answer(asked, ROLLBACK, read_rollback, lambda wanted, choices: not wanted.service)


COMMAND = Command(
    name="rollback", korean="롤백", arguments="SERVICE [RELEASE] [in ENVIRONMENT]", order=15, answer=_answer
)
