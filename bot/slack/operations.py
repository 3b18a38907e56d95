"""The buttons on an operation's card, and the form that breaks the glass."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.operations.approval import REASON_LIMIT, Click, Verdict
from bot.domain.operations.plan import JsonObject
from bot.slack.background import Background
from bot.slack.bodies import user_of
from bot.slack.command import Answer, Asked
from bot.slack.dispatch import Dispatcher
from bot.slack.replies import Replies
from bot.store.errors import StoreUnavailable
from messages.answer_facts import NotFoundFacts
from messages.cards.glass_modal import REASON
from messages.operation_facts import (
    GlassFacts,
    OperationAskedFacts,
    OperationPlanningFacts,
    OperationRefusedFacts,
)
from messages.render import Message

log = structlog.get_logger(__name__)

CLICKS = {
    "op_approve": Click.APPROVE,
    "op_deny": Click.DENY,
    "op_cancel": Click.CANCEL,
    "op_stop": Click.STOP,
    "op_hold": Click.HOLD,
    "op_go": Click.GO,
}
AGAIN, UNDO, REMEDY, GLASS = "op_again", "op_undo", "op_remedy", "op_glass"
CALLBACK = "operation_glass"
_SOON_SECONDS = 0.25
"""So long a plan may take before whoever asked is told that it is being made."""
_PATIENCE_SECONDS = 2.0
"""Slack waits three for the answer to a form."""


def listen_for_operations(app: AsyncApp, dispatcher: Dispatcher, replies: Replies, later: Background) -> None:
    """Add the listeners to the app."""

    async def pressed(ack: AsyncAck, body: dict[str, object], action: dict[str, str]) -> None:
        await ack()
        later.start(action.get("action_id", "op"), _pressed(dispatcher, replies, body, action))

    async def sent(ack: AsyncAck, body: dict[str, object], view: dict[str, object]) -> None:
        problem = await _broken(dispatcher, view, user_of(body))
        if problem is None:
            await ack()
        else:
            await ack(response_action="errors", errors={REASON: replies.phrase(problem)})

    for name in (*CLICKS, AGAIN, UNDO, REMEDY, GLASS):
        app.action(name)(pressed)
    app.view(CALLBACK)(sent)


async def respond(dispatcher: Dispatcher, replies: Replies, url: str, answer: Answer) -> None:
    """Answer only the one who asked, and once more when what takes longer is done."""
    await say_all(dispatcher, replies, answer, lambda message: replies.respond(url, message))


async def say_all(
    dispatcher: Dispatcher, replies: Replies, answer: Answer, say: Callable[[Message], Awaitable[object]]
) -> None:
    """Say the answer, and what follows it once that is done."""
    await say(replies.words(answer.template, answer.facts))
    if answer.then is not None:
        following = await dispatcher.guarded(answer.template, answer.then)
        if following is not None:
            await say(replies.words(following.template, following.facts))


async def ask(asked: Asked, name: str, request: JsonObject, *, approved: bool = False) -> Answer:
    """Somebody asks for an operation: the answer, or that its plan is being made and the answer follows."""
    desk = asked.guardian.operations
    if desk is None or name not in desk.names():
        return Answer("not_found", NotFoundFacts("operation", name, () if desk is None else desk.names()))
    work = asyncio.ensure_future(desk.ask(name, request, asked.user_id, approved=approved))
    done, _ = await asyncio.wait([work], timeout=_SOON_SECONDS)
    if done:
        return told(work.result())

    async def following() -> Answer:
        return told(await work)

    return Answer("operation_planning", OperationPlanningFacts(name), following())


def told(outcome: OperationAskedFacts | OperationRefusedFacts) -> Answer:
    """The answer to whoever asked for an operation."""
    is_asked = isinstance(outcome, OperationAskedFacts)
    return Answer("operation_asked" if is_asked else "operation_refused", outcome)


async def _pressed(
    dispatcher: Dispatcher, replies: Replies, body: Mapping[str, object], action: Mapping[str, str]
) -> None:
    name, value = action.get("action_id", ""), action.get("value", "")
    if name == GLASS:
        await _open_form(dispatcher, replies, str(body.get("trigger_id", "")), value)
        return
    answer = await dispatcher.guarded(name, _answer(dispatcher, name, value, user_of(body)))
    url = body.get("response_url")
    if answer is not None and isinstance(url, str):
        await respond(dispatcher, replies, url, answer)


async def _open_form(dispatcher: Dispatcher, replies: Replies, trigger: str, value: str) -> None:
    """Ask why it cannot wait; nothing opens for an operation that is not there any more."""
    desk, (number, _) = dispatcher.guardian.operations, _button(value)
    try:
        record = None if desk is None else await desk.record(number)
    except StoreUnavailable as error:
        log.warning("form_not_opened", detail=error.detail)
        return
    if record is not None:
        facts = GlassFacts(record.plan.operation, record.id, record.plan.subject)
        await replies.open_modal(trigger, "glass_modal", facts, CALLBACK, value)


async def _answer(dispatcher: Dispatcher, name: str, value: str, user_id: str) -> Answer | None:
    asked, desk = dispatcher.asked(user_id), dispatcher.guardian.operations
    number, shown = _button(value)
    if desk is None:
        return Answer("not_found", NotFoundFacts("operation", "?"))
    if name == REMEDY:
        return await ask(asked, "backup", {}, approved=True)
    if name in CLICKS:
        clicked = await desk.press(CLICKS[name], number, shown, user_id)
        if clicked is None:
            return Answer("not_found", NotFoundFacts("operation", f"#{number}"))
        if clicked.verdict == Verdict.TAKEN and not dispatcher.guardian.delivery_fails:
            return None  # the card says it
        return Answer("operation_click", clicked)
    record = await desk.record(number)
    if record is None:
        return Answer("not_found", NotFoundFacts("operation", f"#{number}"))
    if name == UNDO:
        undone_by = f"{record.plan.operation}_undo"
        return await ask(asked, undone_by, {"run": number}, approved=True)
    return await ask(asked, record.plan.operation, record.request)


async def _broken(dispatcher: Dispatcher, view: Mapping[str, object], user_id: str) -> str | None:
    """Somebody sent the form: the phrase for what is wrong with it; None if it is done. Never raises."""
    desk = dispatcher.guardian.operations
    number, shown = _button(str(view.get("private_metadata", "")))
    if desk is None:
        return "operations.click.stale"
    reason = _reason(view)[:REASON_LIMIT]
    task = asyncio.ensure_future(desk.press(Click.BREAK_GLASS, number, shown, user_id, reason))
    done, _ = await asyncio.wait([task], timeout=_PATIENCE_SECONDS)
    if not done:
        task.add_done_callback(lambda late: late.cancelled() or late.exception())
        return "operations.click.late"
    try:
        clicked = task.result()
    except StoreUnavailable:
        return "operations.click.store"
    if clicked is None:
        return "operations.click.stale"
    return None if clicked.verdict == Verdict.TAKEN else f"operations.click.{clicked.verdict}"


def _reason(view: Mapping[str, object]) -> str:
    state = view.get("state")
    values = state.get("values") if isinstance(state, Mapping) else None
    block = values.get(REASON) if isinstance(values, Mapping) else None
    field = block.get(REASON) if isinstance(block, Mapping) else None
    value = field.get("value") if isinstance(field, Mapping) else None
    return value if isinstance(value, str) else ""


def _button(value: str) -> tuple[int, str]:
    """The operation and the plan that a button was drawn for; 0 where it says none."""
    try:
        data = json.loads(value)
        return int(data["id"]), str(data.get("hash", ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        return 0, ""
