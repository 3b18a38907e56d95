"""`dora 지표`: the four figures of software delivery over the last days, thirty by default."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command, misused, numbered
from messages.deploy_facts import DoraFacts

_DAYS, _MOST = 30, 365


async def _answer(asked: Asked) -> Answer:
    typed = asked.arguments[0] if asked.arguments else str(_DAYS)
    days = numbered(typed)
    if days is None or not 1 <= days <= _MOST or len(asked.arguments) > 1:
        return misused(asked, COMMAND)
    deployments = asked.guardian.deployments
    facts = DoraFacts(days, (), asked.slash) if deployments is None else await deployments.dora(days)
    return Answer("dora", facts)


COMMAND = Command(name="dora", korean="지표", arguments=f"[1-{_MOST}]", order=17, answer=_answer)
