"""`deploy 배포`: plan a deployment; with less than a service and a revision, a form."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from bot.slack.deploying import DEPLOY, read_deploy, wants_help
from bot.slack.modals.deploy import form_of
from bot.slack.operations import ask, told
from messages.deploy_facts import DeployUsageFacts


async def _answer(asked: Asked) -> Answer:
    choices = asked.guardian.deployments
    if choices is None:
        return Answer("deploy_usage", DeployUsageFacts(DEPLOY, asked.slash, ()))
    usage = DeployUsageFacts(DEPLOY, asked.slash, choices.services())
    if wants_help(asked.arguments, choices):
        return Answer("deploy_usage", usage)
    wanted = read_deploy(asked.arguments, choices)
    if wanted is None:
        return Answer("deploy_usage", usage)
    if not wanted.release and (not wanted.service or wanted.service in choices.services()):
        refused = (
            None
            if asked.guardian.operations is None
            else asked.guardian.operations.not_for(DEPLOY, asked.user_id)
        )
        if refused is not None:
            return told(refused)
        return Answer("deploy_usage", usage, form=await form_of(asked.guardian, DEPLOY, wanted, asked.url))
    return await ask(asked, DEPLOY, wanted.as_request("revision"))


COMMAND = Command(
    name="deploy", korean="배포", arguments="SERVICE REVISION [to ENVIRONMENT]", order=14, answer=_answer
)
