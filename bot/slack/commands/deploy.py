"""`deploy 배포`: plan a deployment; with less than a service and a revision, a form."""

from __future__ import annotations

from bot.engine.deploy.choices import DeployChoices
from bot.slack.command import Answer, Asked, Command
from bot.slack.deploy_commands import answer
from bot.slack.deploying import DEPLOY, Wanted, read_deploy


def _too_little(wanted: Wanted, choices: DeployChoices) -> bool:
    """A service that isn't there is refused with those that are, not asked for the rest."""
    return not wanted.release and (not wanted.service or wanted.service in choices.services())


async def _answer(asked: Asked) -> Answer:
    return await answer(asked, DEPLOY, read_deploy, _too_little)


COMMAND = Command(
    name="deploy", korean="배포", arguments="SERVICE REVISION [to ENVIRONMENT]", order=14, answer=_answer
)
