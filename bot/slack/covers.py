"""The buttons on lists of silences and windows, the one that confirms, and the form on a card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.matcher_notation import MatcherInvalid, parse
from bot.domain.silences import Wanted
from bot.slack.background import Background
from bot.slack.bodies import user_of
from bot.slack.command import Answer
from bot.slack.commands import maintenance, silence
from bot.slack.cover_answers import told
from bot.slack.dispatch import Dispatcher
from bot.slack.modals.silence import CALLBACK, submitted
from bot.slack.replies import Replies
from messages.answer_facts import NotFoundFacts
from messages.cards.cover_confirm import unpacked

LIFT, END, CONFIRM = "silence_lift", "maintenance_end", "cover_confirm"


def listen_for_covers(app: AsyncApp, dispatcher: Dispatcher, replies: Replies, later: Background) -> None:
    """Add the listeners to the app."""

    async def pressed(ack: AsyncAck, body: dict[str, object], action: dict[str, str]) -> None:
        await ack()
        later.start(action.get("action_id", CONFIRM), _pressed(dispatcher, replies, body, action))

    async def sent(ack: AsyncAck, body: dict[str, object], view: dict[str, object]) -> None:
        errors = await submitted(replies, dispatcher.guardian, view, user_of(body))
        if errors:
            await ack(response_action="errors", errors=errors)
        else:
            await ack()

    for name in (LIFT, END, CONFIRM):
        app.action(name)(pressed)
    app.view(CALLBACK)(sent)


async def _pressed(
    dispatcher: Dispatcher, replies: Replies, body: Mapping[str, object], action: Mapping[str, str]
) -> None:
    name, value = action.get("action_id", ""), action.get("value", "")
    answer = await dispatcher.guarded(name, _answer(dispatcher, name, value, user_of(body)))
    url = body.get("response_url")
    if answer is not None and isinstance(url, str):
        await replies.respond(url, replies.words(answer.template, answer.facts))


async def _answer(dispatcher: Dispatcher, name: str, value: str, user_id: str) -> Answer:
    asked = dispatcher.asked(user_id)
    try:
        data = json.loads(value)
        if name == LIFT:
            return await silence.lifted(asked, str(data["silence"]))
        if name == END:
            return await maintenance.ended(asked, str(data["maintenance"]))
        confirmed = unpacked(data["asked"])
        return await _confirmed(dispatcher, confirmed["what"], _wanted(confirmed, user_id))
    except (ValueError, TypeError, KeyError, MatcherInvalid):
        return Answer("not_found", NotFoundFacts(kind="silence", name=value[:20]))


async def _confirmed(dispatcher: Dispatcher, what: str, wanted: Wanted) -> Answer:
    covers = dispatcher.guardian.covers
    if what == "silence":
        return told(await covers.silence_as(wanted, confirmed=True))
    return told(await covers.maintain_as(wanted, confirmed=True))


def _wanted(data: Mapping[str, str], user_id: str) -> Wanted:
    return Wanted(
        parse(data["matcher"]),
        datetime.fromisoformat(data["starts_at"]),
        datetime.fromisoformat(data["ends_at"]),
        user_id,
        data["reason"],
    )
