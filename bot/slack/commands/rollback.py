"""`rollback 롤백`: plan the way back to a release that is kept, the one before if none is named."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from bot.slack.deploying import ROLLBACK, read_rollback, wants_help
from bot.slack.modals.deploy import form_of
from bot.slack.operations import ask, told
from messages.deploy_facts import DeployUsageFacts


async def _answer(asked: Asked) -> Answer:
    choices = asked.guardian.deployments
    if choices is None:
        return Answer("deploy_usage", DeployUsageFacts(ROLLBACK, asked.slash, ()))
    usage = DeployUsageFacts(ROLLBACK, asked.slash, choices.services())
    if wants_help(asked.arguments, choices):
        return Answer("deploy_usage", usage)
    wanted = read_rollback(asked.arguments, choices)
    if wanted is None:
        return Answer("deploy_usage", usage)
    if not wanted.service:
        refused = (
            None
            if asked.guardian.operations is None
            else asked.guardian.operations.not_for(ROLLBACK, asked.user_id)
        )
        if refused is not None:
            return told(refused)
        return Answer("deploy_usage", usage, form=await form_of(asked.guardian, ROLLBACK, wanted, asked.url))
    return await ask(asked, ROLLBACK, wanted.as_request("release"))


COMMAND = Command(
    name="rollback", korean="롤백", arguments="SERVICE [RELEASE] [in ENVIRONMENT]", order=15, answer=_answer
)
