"""What Slack sends about deployments beside their cards: forms, and the button on an alert."""

from __future__ import annotations

import json
from collections.abc import Mapping

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.operations.approval import Click, State, Verdict
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
_THERE = (State.DONE, State.PARTIAL, State.FAILED)
"""Over, and its release may carry traffic."""


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
    """Somebody wants a deployment taken back: stopped while it is under way, else by a rollback to what was
    there before it, whatever was deployed since. None when its own card says what follows. One that is back
    already, or never began, is left as it is: a rollback would go beyond it."""
    desk, number = dispatcher.guardian.operations, _operation(value)
    record = None if desk is None else await desk.record(number)
    if desk is None or record is None:
        return Answer("not_found", NotFoundFacts("operation", f"#{number}"))
    if record.state in _THERE:
        shown = record.plan.shown
        names = {"service": "service", "environment": "environment", "current": "release"}
        request = {names[name]: value for name, value in shown.items() if name in names and value}
        return await ask(dispatcher.asked(user_id), ROLLBACK, request)
    clicked = await desk.press(Click.STOP, number, record.plan_hash, user_id)
    if clicked is None:
        return Answer("not_found", NotFoundFacts("operation", f"#{number}"))
    if clicked.verdict == Verdict.TAKEN and not dispatcher.guardian.delivery_fails:
        return None
    return Answer("operation_click", clicked)


def _operation(value: str) -> int:
    """The deployment that a button was drawn for; 0 where it says none."""
    try:
        return int(json.loads(value)["operation"])
    except (ValueError, TypeError, KeyError):
        return 0
