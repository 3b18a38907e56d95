"""What `deploy` and `rollback` do alike: help, a form for who said too little, else a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.engine.deploy.choices import DeployChoices
from bot.slack.command import Answer, Asked
from bot.slack.deploying import Wanted, wants_help
from bot.slack.modals.deploy import form_of
from bot.slack.operations import ask, told
from messages.deploy_facts import DeployUsageFacts


async def answer(
    asked: Asked,
    operation: str,
    read: Callable[[Iterable[str], DeployChoices], Wanted | None],
    too_little: Callable[[Wanted, DeployChoices], bool],
) -> Answer:
    """The answer to the command of that operation. `read` understands its words, None if it can't;
    `too_little`: whether what was said makes no plan. Whoever may not ask gets no form either."""
    choices = asked.guardian.deployments
    if choices is None:
        return Answer("deploy_usage", DeployUsageFacts(operation, asked.slash, ()))
    usage = DeployUsageFacts(operation, asked.slash, choices.services())
    wanted = None if wants_help(asked.arguments, choices) else read(asked.arguments, choices)
    if wanted is None:
        return Answer("deploy_usage", usage)
    if too_little(wanted, choices):
        operations = asked.guardian.operations
        refused = None if operations is None else operations.not_for(operation, asked.user_id)
        if refused is not None:
            return told(refused)
        return Answer("deploy_usage", usage, form=await form_of(asked.guardian, operation, wanted, asked.url))
    return await ask(asked, operation, wanted.as_request(operation))
