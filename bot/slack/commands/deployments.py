"""`deployments 배포현황`: what runs where, what one can go back to, and the latest deployments."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from messages.deploy_facts import DeploymentsFacts


async def _answer(asked: Asked) -> Answer:
    deployments = asked.guardian.deployments
    facts = DeploymentsFacts((), (), asked.slash) if deployments is None else await deployments.status()
    return Answer("deployments", facts)


COMMAND = Command(name="deployments", korean="배포현황", arguments="", order=16, answer=_answer)
