"""The forms for a deployment and for a rollback: what may be chosen, and what was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from bot.engine.deploy.choices import DeployChoices
from bot.engine.guardian import Guardian
from bot.slack.background import Background
from bot.slack.bodies import form_values
from bot.slack.command import Answer, Form
from bot.slack.deploying import DEPLOY, ROLLBACK, Wanted
from bot.slack.dispatch import Dispatcher
from bot.slack.operations import respond, told
from bot.slack.replies import Replies
from bot.store.errors import StoreUnavailable
from messages.cards.deploy_modal import CHOICE, ENVIRONMENT, PREVIOUS, SERVICE
from messages.deploy_facts import DeployChoiceFacts, DeployFormFacts
from messages.operation_facts import OperationPlanningFacts, OperationRefusedFacts

log = structlog.get_logger(__name__)

CALLBACKS = {f"{name}_form": name for name in (DEPLOY, ROLLBACK)}
TEMPLATES = {name: f"{name}_modal" for name in (DEPLOY, ROLLBACK)}
_CHOICES_SECONDS = 1.5
"""A form has to be opened within three seconds: revisions that take longer to list are typed."""
_PATIENCE_SECONDS = 2.0
"""Slack waits three for the answer to a form."""
_ERROR_LIMIT = 300
_FIELDS = {"deploy_service": SERVICE, "deploy_environment": ENVIRONMENT}
"""Which field a refusal is about; all others are about what was chosen to run."""


async def form_of(guardian: Guardian, name: str, wanted: Wanted, url: str = "") -> Form | None:
    """The form with what is known already; None when there is no service. `url`: where to tell the rest."""
    choices = guardian.deployments
    if choices is None or not choices.services():
        return None
    services = choices.services()
    service = wanted.service if wanted.service in services else services[0]
    places = choices.environments(service)
    preferred = (wanted.environment, guardian.identity.environment, *places)
    environment = next((each for each in preferred if each in places), "")
    offered = await _offered(choices, name, service, environment)
    facts = DeployFormFacts(services, service, places, environment, offered)
    return Form(TEMPLATES[name], facts, f"{name}_form", json.dumps({"url": url}))


async def _offered(
    choices: DeployChoices, name: str, service: str, environment: str
) -> tuple[DeployChoiceFacts, ...]:
    try:
        async with asyncio.timeout(_CHOICES_SECONDS):
            if name == ROLLBACK:
                kept = await choices.kept(service, environment)
                return (DeployChoiceFacts(PREVIOUS), *map(DeployChoiceFacts, kept))
            found = await choices.revisions(service, environment)
            return tuple(DeployChoiceFacts(each.revision, each.subject) for each in found)
    except (TimeoutError, StoreUnavailable) as error:
        log.warning("choices_not_listed", service=service, detail=type(error).__name__)
        return (DeployChoiceFacts(PREVIOUS),) if name == ROLLBACK else ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was filled in."""

    operation: str
    wanted: Wanted
    choice: str
    """the field of the release: its name changes with the service, so that nothing is left of another's"""
    url: str


def sent(view: Mapping[str, object]) -> Sent:
    """What is in the form."""
    values = form_values(view)
    choice = next((name for name in values if name.partition(":")[0] == CHOICE), CHOICE)
    release = values.get(choice, "").strip()
    wanted = Wanted(
        values.get(SERVICE, ""), "" if release == PREVIOUS else release, values.get(ENVIRONMENT, "")
    )
    operation = CALLBACKS.get(str(view.get("callback_id", "")), DEPLOY)
    return Sent(operation, wanted, choice, _url(view))


async def submitted(
    dispatcher: Dispatcher, replies: Replies, later: Background, view: Mapping[str, object], user_id: str
) -> dict[str, str]:
    """Somebody sent the form: what is wrong with it, by field; nothing if there is a plan, or one is being
    made. What follows is told where the command was typed."""
    form, desk = sent(view), dispatcher.guardian.operations
    if desk is None:
        return {form.choice: replies.phrase("operations.click.stale")}
    request = form.wanted.as_request(form.operation)

    async def asked() -> Answer:
        return told(await desk.ask(form.operation, request, user_id))

    work = asyncio.ensure_future(dispatcher.guarded(form.operation, asked()))
    done, _ = await asyncio.wait([work], timeout=_PATIENCE_SECONDS)
    if not done:
        # The checks of gate 1 may take minutes.
        answer: Answer | None = Answer("operation_planning", OperationPlanningFacts(form.operation), work)
    else:
        answer = work.result()
        facts = None if answer is None else answer.facts
        if isinstance(facts, OperationRefusedFacts) and facts.remedy is None:
            field = _FIELDS.get(facts.problem.reason, form.choice)
            return {field: replies.plain("operation_refused", facts)[:_ERROR_LIMIT]}
    if answer is not None and form.url:
        later.start("deploy_form", respond(dispatcher, replies, form.url, answer))
    return {}


async def redrawn(
    guardian: Guardian, replies: Replies, view: Mapping[str, object], name: str, value: str
) -> None:
    """Another service or environment was chosen: the form with what that one offers."""
    form = sent(view)
    service = value if name == f"deploy_{SERVICE}" else form.wanted.service
    environment = value if name == f"deploy_{ENVIRONMENT}" else form.wanted.environment
    again = await form_of(guardian, form.operation, Wanted(service, "", environment), form.url)
    if again is not None:
        await replies.update_modal(str(view.get("id", "")), str(view.get("hash", "")), again)


def _url(view: Mapping[str, object]) -> str:
    try:
        found = json.loads(str(view.get("private_metadata", "")))
        return str(found.get("url", ""))
    except (ValueError, AttributeError):
        return ""
