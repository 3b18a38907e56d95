"""`rollback 롤백`: plan the way back to a release that is kept, the one before if none is named."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command, misused
from bot.slack.deploying import ROLLBACK, read_rollback
from bot.slack.modals.deploy import form_of
from bot.slack.operations import ask
from messages.deploy_facts import DeployUsageFacts


async def _answer(asked: Asked) -> Answer:
    choices = asked.guardian.deployments
    if choices is None:
        return Answer("deploy_usage", DeployUsageFacts(ROLLBACK, asked.slash, ()))
    wanted = read_rollback(asked.arguments, choices)
    if wanted is None:
        return misused(asked, COMMAND)
    if not wanted.service:
        facts = DeployUsageFacts(ROLLBACK, asked.slash, choices.services())
        return Answer("deploy_usage", facts, form=await form_of(asked.guardian, ROLLBACK, wanted, asked.url))
    return await ask(asked, ROLLBACK, wanted.as_request("release"))


COMMAND = Command(
    name="rollback", korean="롤백", arguments="SERVICE [RELEASE] [in ENVIRONMENT]", order=15, answer=_answer
)
