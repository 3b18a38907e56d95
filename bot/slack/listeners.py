"""The Bolt app: what Slack sends, and who answers it. The same for Socket Mode and HTTP.

Everything is acknowledged first and worked on afterwards, because Slack waits three seconds and a person
waits for the first sign of life. `process_before_response` makes the acknowledgement immediate: Bolt
otherwise looks for it every 10 ms. What follows runs in a `Background` of ours: Bolt's lazy listeners copy
the whole request for each, which takes longer than the acknowledgement, and keep no hold of what they start.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import buttons
from bot.slack.authorized import OwnToken
from bot.slack.background import Background
from bot.slack.bodies import deleted_ts, user_of
from bot.slack.command import Answer
from bot.slack.commands.help import command_facts
from bot.slack.covers import listen_for_covers
from bot.slack.deployments import listen_for_deployments
from bot.slack.dispatch import Dispatcher
from bot.slack.duplicates import OnlyOnce
from bot.slack.modals.silence import open_silence_modal
from bot.slack.operations import listen_for_operations, respond, say_all
from bot.slack.replies import Replies
from bot.store.errors import StoreUnavailable
from messages.answer_facts import NotFoundFacts
from messages.facts import HomeFacts

log = structlog.get_logger(__name__)

SLASHES = ("/cleanup", "/deploy", "/rollback")
"""Commands of their own; the same is behind /guardian."""
_MENTION = re.compile(r"<@[UW][A-Z0-9]+(\|[^>]*)?>")


def build_app(
    client: AsyncWebClient,
    dispatcher: Dispatcher,
    replies: Replies,
    signing_secret: str | None,
    background: Background | None = None,
) -> AsyncApp:
    """The app with all its listeners. `client` has the token of the bot.

    `signing_secret` is needed for HTTP mode only, where each request's signature and timestamp are checked.
    `background` does what follows an acknowledgement; one that nobody else knows by default.
    """
    # A client with a token would make Bolt ask Slack about it.
    bare = AsyncWebClient(base_url=client.base_url, timeout=client.timeout, retry_handlers=[])
    app = AsyncApp(
        # Without a name, Bolt looks for the file that called it, through the files of all loaded modules.
        name="guardian",
        client=bare,
        authorize=OwnToken(client.token or ""),
        signing_secret=signing_secret or "",
        request_verification_enabled=signing_secret is not None,
        process_before_response=True,
        # What assistants' threads need; here it would only be made anew for each request.
        attaching_conversation_kwargs_enabled=False,
        # To Bolt, that somebody deleted a message of ours is an event of ours.
        # What bots write is left out below.
        ignoring_self_events_enabled=False,
    )
    listeners = Listeners(dispatcher, replies)
    later = Background() if background is None else background

    async def command(ack: AsyncAck, command: dict[str, str]) -> None:
        await ack()
        later.start("command", listeners.command(command))

    async def acknowledge(ack: AsyncAck, body: dict[str, object], action: dict[str, str]) -> None:
        await ack()
        later.start("acknowledge", listeners.acknowledge(body, action))

    async def more(ack: AsyncAck, body: dict[str, object], action: dict[str, object]) -> None:
        await ack()
        later.start("more", listeners.more(body, action))

    async def pressed(ack: AsyncAck, body: dict[str, object], action: dict[str, str]) -> None:
        await ack()
        later.start(action.get("action_id", "button"), listeners.pressed(body, action))

    async def mention(ack: AsyncAck, event: dict[str, str]) -> None:
        await ack()
        later.start("mention", listeners.mention(event))

    async def message(ack: AsyncAck, event: dict[str, str]) -> None:
        await ack()
        if not event.get("bot_id"):  # a storm's posts come back as hundreds of events
            later.start("message", listeners.message(event))

    async def home(ack: AsyncAck, event: dict[str, str]) -> None:
        await ack()
        later.start("home", listeners.home(event))

    app.middleware(OnlyOnce())
    for name in (dispatcher.slash, *SLASHES):
        app.command(name)(command)
    app.action(buttons.ACKNOWLEDGE)(acknowledge)
    app.action(buttons.MORE)(more)
    for button in (buttons.USEFUL, buttons.USELESS, buttons.STORM, buttons.SILENCE):
        app.action(button)(pressed)
    listen_for_covers(app, dispatcher, replies, later)
    listen_for_operations(app, dispatcher, replies, later)
    listen_for_deployments(app, dispatcher, replies, later)
    app.event("app_mention")(mention)
    app.event("message")(message)
    app.event("app_home_opened")(home)
    return app


class Listeners:
    """One method for each thing that Slack sends."""

    def __init__(self, dispatcher: Dispatcher, replies: Replies) -> None:
        self._dispatcher = dispatcher
        self._replies = replies

    async def command(self, command: Mapping[str, str]) -> None:
        """`/guardian …`, or a command of its own such as `/cleanup …`: answered to the one who typed it."""
        text, name = command.get("text", ""), command.get("command", self._dispatcher.slash)
        if name in SLASHES:
            text = f"{name.removeprefix('/')} {text}"
        url, trigger = command["response_url"], command.get("trigger_id")
        answer = await self._dispatcher.answer(text, command["user_id"], url)
        if answer.form is None or not trigger or not await self._replies.open_form(trigger, answer.form):
            await self._respond(url, answer)

    async def mention(self, event: Mapping[str, str]) -> None:
        """`@Guardian …` in a channel: answered in the thread. What bots write, we too, is no question."""
        if event.get("bot_id"):
            return
        await self._converse(event, event.get("thread_ts") or event["ts"])

    async def message(self, event: Mapping[str, str]) -> None:
        """A direct message is answered there; one in an alert's thread says that somebody is at it. Edits,
        joins and what bots write are neither. A card that is deleted is one no more."""
        deleted = deleted_ts(event)
        if deleted is not None:
            try:
                await self._dispatcher.guardian.card_deleted(event["channel"], deleted)
            except StoreUnavailable as error:
                log.warning("deleted_message_not_looked_up", detail=error.detail)
            return
        if event.get("bot_id") or event.get("subtype") not in (None, "file_share", "thread_broadcast"):
            return
        if event.get("channel_type") == "im":
            if not event.get("subtype"):
                await self._converse(event, event.get("thread_ts"))
            return
        thread, user = event.get("thread_ts"), event.get("user")
        if thread is None or user is None:
            return
        try:
            await self._dispatcher.guardian.wrote(event["channel"], thread, user)
        except StoreUnavailable as error:
            log.warning("thread_not_looked_up", detail=error.detail)

    async def acknowledge(self, body: Mapping[str, object], action: Mapping[str, str]) -> None:
        """The button 확인, on a card or in the Home tab."""
        user_id = user_of(body)
        value, on_card = action.get("value", ""), not _is_ephemeral(body)
        work = buttons.acknowledged(self._dispatcher, value, user_id, on_card=on_card)
        answer = await self._dispatcher.guarded(buttons.ACKNOWLEDGE, work)
        url = body.get("response_url")
        if answer is not None and isinstance(url, str):
            await self._respond(url, answer)
        if "view" in body:
            await self._draw_home(user_id)

    async def pressed(self, body: Mapping[str, object], action: Mapping[str, str]) -> None:
        """One of the buttons whose answer only the one who pressed sees."""
        name, value, user_id = action.get("action_id", ""), action.get("value", ""), user_of(body)
        work: Awaitable[Answer | None]
        if name == buttons.STORM:
            work = buttons.storm_acknowledged(self._dispatcher, value, user_id)
        elif name == buttons.SILENCE:
            work = self._silence_form(body, buttons.about(value))
        else:
            work = buttons.rated(self._dispatcher, value, user_id, useful=name == buttons.USEFUL)
        answer = await self._dispatcher.guarded(name, work)
        url = body.get("response_url")
        if answer is not None and isinstance(url, str):
            await self._respond(url, answer)

    async def more(self, body: Mapping[str, object], action: Mapping[str, object]) -> None:
        """The menu 더보기 on a card."""
        option = action.get("selected_option")
        choice = str(option.get("value", "")) if isinstance(option, dict) else ""
        block_id = str(action.get("block_id", ""))
        alert = buttons.chosen(block_id)
        work: Awaitable[Answer | None]
        if choice == "silence":
            work = self._silence_form(body, None if alert is None else alert.id)
        else:
            work = buttons.more(self._dispatcher, choice, alert, user_of(body))
        answer = await self._dispatcher.guarded(buttons.MORE, work)
        url = body.get("response_url")
        if answer is not None and isinstance(url, str):
            await self._respond(url, answer)

    async def _silence_form(self, body: Mapping[str, object], alert_id: int | None) -> Answer | None:
        """Open the form for a silence about that alert."""
        trigger = str(body.get("trigger_id", ""))
        guardian = self._dispatcher.guardian
        if alert_id is not None and await open_silence_modal(self._replies, guardian, trigger, alert_id):
            return None
        return Answer(
            "not_found", NotFoundFacts(kind="alert", name="" if alert_id is None else f"#{alert_id}")
        )

    async def home(self, event: Mapping[str, str]) -> None:
        """Somebody opened the Home tab."""
        if event.get("tab", "home") == "home":
            await self._draw_home(event["user"])

    async def _draw_home(self, user_id: str) -> None:
        facts = HomeFacts(
            status=self._dispatcher.guardian.status(),
            command=self._dispatcher.slash,
            commands=command_facts(self._dispatcher.commands),
        )
        await self._replies.publish_home(user_id, facts.as_json())

    async def _converse(self, event: Mapping[str, str], thread_ts: str | None) -> None:
        # The first mention is the bot itself; whoever else is named belongs to what is asked.
        text = _MENTION.sub(" ", event.get("text", ""), count=1).strip()
        text = text.removeprefix(self._dispatcher.slash)
        answer = await self._dispatcher.answer(text, event.get("user", ""))
        await say_all(
            self._dispatcher,
            self._replies,
            answer,
            lambda message: self._replies.say(event["channel"], message, thread_ts),
        )

    async def _respond(self, response_url: str, answer: Answer) -> None:
        await respond(self._dispatcher, self._replies, response_url, answer)


def _is_ephemeral(body: Mapping[str, object]) -> bool:
    """Whether the click was on a message that only one person sees, and that nobody edits."""
    container = body.get("container")
    return isinstance(container, dict) and bool(container.get("is_ephemeral"))
