"""What Slack sends about deployments beside their cards: forms, and the button on an alert."""

from __future__ import annotations

import json
from collections.abc import Mapping

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.operations.approval import Click, Verdict
from bot.domain.operations.plan import JsonObject
from bot.slack.background import Background
from bot.slack.bodies import chosen_value, user_of
from bot.slack.command import Answer
from bot.slack.deploying import ROLLBACK
from bot.slack.dispatch import Dispatcher
from bot.slack.modals.deploy import CALLBACKS, redrawn, submitted
from bot.slack.operations import ask, respond
from bot.slack.replies import Replies
from messages.answer_facts import NotFoundFacts
from messages.cards.deploy_modal import ENVIRONMENT, SERVICE

BACK = "deploy_rollback"
"""The button on the card of an alert: take the deployment back that went before."""


def listen_for_deployments(
    app: AsyncApp, dispatcher: Dispatcher, replies: Replies, later: Background
) -> None:
    """Add the listeners to the app."""

    async def pressed(ack: AsyncAck, body: dict[str, object], action: dict[str, str]) -> None:
        await ack()
        later.start(BACK, _pressed(dispatcher, replies, body, action.get("value", "")))

    async def chosen(ack: AsyncAck, body: dict[str, object], action: dict[str, object]) -> None:
        await ack()
        view, name = body.get("view"), str(action.get("action_id", ""))
        if isinstance(view, dict):
            value = chosen_value(action) or ""
            later.start(name, redrawn(dispatcher.guardian, replies, view, name, value))

    async def sent(ack: AsyncAck, body: dict[str, object], view: dict[str, object]) -> None:
        problems = await submitted(dispatcher, replies, later, view, user_of(body))
        if problems:
            await ack(response_action="errors", errors=problems)
        else:
            await ack()

    app.action(BACK)(pressed)
    for field in (SERVICE, ENVIRONMENT):
        app.action(f"deploy_{field}")(chosen)
    for callback in CALLBACKS:
        app.view(callback)(sent)


async def _pressed(dispatcher: Dispatcher, replies: Replies, body: Mapping[str, object], value: str) -> None:
    answer = await dispatcher.guarded(BACK, back(dispatcher, value, user_of(body)))
    url = body.get("response_url")
    if answer is not None and isinstance(url, str):
        await respond(dispatcher, replies, url, answer)


async def back(dispatcher: Dispatcher, value: str, user_id: str) -> Answer | None:
    """Somebody wants a deployment taken back: stopped while it is under way, else as `rollback` does it. None
    when its own card says what follows."""
    desk = dispatcher.guardian.operations
    number, request = _button(value)
    if desk is None or not request:
        return Answer("not_found", NotFoundFacts("operation", "?"))
    record = await desk.record(number)
    if record is None or record.ended_at is not None:
        return await ask(dispatcher.asked(user_id), ROLLBACK, request)
    clicked = await desk.press(Click.STOP, number, record.plan_hash, user_id)
    if clicked is None:
        return Answer("not_found", NotFoundFacts("operation", f"#{number}"))
    if clicked.verdict == Verdict.TAKEN and not dispatcher.guardian.delivery_fails:
        return None
    return Answer("operation_click", clicked)


def _button(value: str) -> tuple[int, JsonObject]:
    """The operation, and the request for a rollback, that a button was drawn for."""
    try:
        data = json.loads(value)
        request: JsonObject = {name: str(data[name]) for name in ("service", "environment")}
        return int(data.get("operation") or 0), request
    except (ValueError, TypeError, KeyError, AttributeError):
        return 0, {}
