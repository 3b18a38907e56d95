"""Carries the outbox's letters to Slack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypedDict, TypeVar

import structlog
from pydantic import JsonValue
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.letters import Card, Letter
from bot.engine.delivery import Ambiguous, Arrived, Blocked, CardGone, Permanent
from bot.slack.channels import Channels
from bot.slack.failures import CHANNEL, CONTENT, delivery_failures, error_code
from messages.images import without_images
from messages.render import Message, TemplateFailed, Voice

log = structlog.get_logger(__name__)

T = TypeVar("T")

EVENT_TYPE = "guardian_letter"
_PAGES = 5


class _Mark(TypedDict):
    event_type: str
    event_payload: dict[str, str]


async def _nothing(_letter: Letter) -> None:
    pass


class SlackCourier:
    """Renders a letter and hands it to Slack; `bot.engine.delivery.Courier` says what it raises."""

    def __init__(
        self,
        client: AsyncWebClient,
        channels: Channels,
        voice: Voice,
        picture_refused: Callable[[Letter], Awaitable[None]] = _nothing,
    ) -> None:
        """`picture_refused` is told of a letter that Slack took only without its picture."""
        self._client = client
        self._channels = channels
        self._voice = voice
        self._picture_refused = picture_refused
        self._explained: dict[str, str] = {}
        """what the log has been told of channels where nothing can be posted"""

    async def post(self, letter: Letter, thread: Card | None, delivery_ms: int) -> Arrived:
        """Post a letter as a new message."""
        message = self._words(letter, {**letter.facts, "delivery_ms": delivery_ms})
        with self._explaining(letter.channel):
            channel = thread.channel_id if thread else await self._channels.id_of(letter.channel)
            return await self._in_some_form(
                letter, message, lambda form: self._post(letter, channel, thread, form)
            )

    async def edit(self, letter: Letter, card: Card) -> None:
        """Draw the card again."""
        message = self._words(letter, {**letter.facts, "delivery_ms": card.delivery_ms})
        await self._in_some_form(letter, message, lambda form: self._edit(card, form))

    async def _in_some_form(
        self, letter: Letter, message: Message, send: Callable[[Message], Awaitable[T]]
    ) -> T:
        """Send the message; without its pictures if Slack refuses what is in it, and as raw facts if it
        refuses that too: whatever happens, it must arrive."""
        try:
            return await send(message)
        except Permanent as refused:
            if refused.detail not in CONTENT:
                raise
            log.error("message_refused", template=letter.template, detail=refused.detail)
        bare = without_images(message)
        if bare is not message:
            await self._picture_refused(letter)
            try:
                return await send(bare)
            except Permanent as refused:
                if refused.detail not in CONTENT:
                    raise
                log.error("message_refused", template=letter.template, detail=refused.detail)
        return await send(Message(self._voice.plain(letter.facts)))

    async def find(self, letter: Letter, thread: Card | None) -> Arrived | None:
        """Look for the letter's own mark in what the channel or the thread has had since it was written."""
        channel = thread.channel_id if thread else await self._channels.id_of(letter.channel)
        # Clocks differ; a minute of old messages more costs nothing.
        oldest = f"{letter.created_at.timestamp() - 60:.6f}"
        cursor: str | None = None
        wanted = _mark_of(letter)["event_payload"]["letter"]
        for _ in range(_PAGES):
            try:
                with delivery_failures():
                    if thread is None:
                        page = await self._client.conversations_history(
                            channel=channel,
                            oldest=oldest,
                            include_all_metadata=True,
                            limit=200,
                            cursor=cursor,
                        )
                    else:
                        page = await self._client.conversations_replies(
                            channel=channel,
                            ts=thread.ts,
                            oldest=oldest,
                            include_all_metadata=True,
                            limit=200,
                            cursor=cursor,
                        )
            except CardGone:
                # What can't go into a thread that is gone goes into the channel.
                return None if thread is None else await self.find(letter, None)
            except Permanent as refused:
                # Nobody can tell: rather twice than never.
                log.warning("history_cannot_be_read", channel=letter.channel, detail=refused.detail)
                return None
            messages: list[Mapping[str, Mapping[str, Mapping[str, str]]]] = page.get("messages", [])
            for message in messages:
                metadata = message.get("metadata") or {}
                if (metadata.get("event_payload") or {}).get("letter") == wanted:
                    return Arrived(channel, str(message["ts"]))
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return None

    async def _post(self, letter: Letter, channel: str, thread: Card | None, message: Message) -> Arrived:
        with delivery_failures():
            try:
                answer = await self._client.chat_postMessage(
                    channel=channel,
                    text=message.text,
                    blocks=message.blocks or None,
                    attachments=message.attachments or None,
                    thread_ts=thread.ts if thread else None,
                    reply_broadcast=True if thread and letter.broadcast else None,
                    metadata=dict(_mark_of(letter)),
                    unfurl_links=False,
                    unfurl_media=False,
                )
            except SlackApiError as error:
                if error_code(error) in CHANNEL:
                    self._channels.forget()
                raise
        ts = answer.get("ts")
        if not isinstance(ts, str):
            raise Ambiguous("an answer without ts")
        return Arrived(str(answer.get("channel") or channel), ts)

    async def _edit(self, card: Card, message: Message) -> None:
        with delivery_failures():
            # Empty lists, not absent ones: what the earlier drawing had must go.
            await self._client.chat_update(
                channel=card.channel_id,
                ts=card.ts,
                text=message.text,
                blocks=message.blocks,
                attachments=message.attachments,
            )

    @contextmanager
    def _explaining(self, channel: str) -> Iterator[None]:
        """Tells the log once what somebody has to do before anything can be posted there."""
        try:
            yield
        except Blocked as blocked:
            if self._explained.get(channel) != blocked.detail:
                self._explained[channel] = blocked.detail
                reason = blocked.detail if blocked.detail in CHANNEL else "token"
                advice = self._voice.phrase(f"slack.{reason}", channel=channel, code=blocked.detail)
                log.error("slack_is_blocked", channel=channel, detail=blocked.detail, advice=advice)
            raise
        self._explained.pop(channel, None)

    def _words(self, letter: Letter, facts: Mapping[str, JsonValue]) -> Message:
        """The letter in words, or, if its template fails, the raw facts: they must go out all the same."""
        try:
            return self._voice.message(letter.template, facts)
        except TemplateFailed as error:
            log.error("template_failed", template=letter.template, detail=str(error))
            return Message(self._voice.plain(facts))


def _mark_of(letter: Letter) -> _Mark:
    """The mark by which a message is known to be this letter; its id alone may be given out again."""
    return {
        "event_type": EVENT_TYPE,
        "event_payload": {"letter": f"{letter.id}@{letter.created_at.isoformat()}"},
    }
