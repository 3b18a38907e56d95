"""`deploy 배포`: plan a deployment; with less than a service and a revision, a form."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command, misused
from bot.slack.deploying import DEPLOY, read_deploy
from bot.slack.modals.deploy import form_of
from bot.slack.operations import ask
from messages.deploy_facts import DeployUsageFacts


async def _answer(asked: Asked) -> Answer:
    choices = asked.guardian.deployments
    if choices is None:
        return Answer("deploy_usage", DeployUsageFacts(DEPLOY, asked.slash, ()))
    wanted = read_deploy(asked.arguments, choices)
    if wanted is None:
        return misused(asked, COMMAND)
    if not wanted.release and (not wanted.service or wanted.service in choices.services()):
        facts = DeployUsageFacts(DEPLOY, asked.slash, choices.services())
        return Answer("deploy_usage", facts, form=await form_of(asked.guardian, DEPLOY, wanted, asked.url))
    return await ask(asked, DEPLOY, wanted.as_request("revision"))


COMMAND = Command(
    name="deploy", korean="배포", arguments="SERVICE REVISION [to ENVIRONMENT]", order=14, answer=_answer
)
