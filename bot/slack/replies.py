"""Answers to people: through the response_url of a command or click, or as a message in a conversation."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
import structlog
from pydantic import JsonValue
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.command import Form
from bot.slack.failures import error_code
from messages.facts import Facts
from messages.render import Message, TemplateFailed, Voice

log = structlog.get_logger(__name__)


class Replies:
    """Puts answers into words and sends them. A failed answer is logged: whoever asked can ask again."""

    def __init__(self, session: aiohttp.ClientSession, client: AsyncWebClient, voice: Voice) -> None:
        self._session = session
        self._client = client
        self._voice = voice
        self._latest: dict[str, tuple[Facts, Message]] = {}

    def words(self, template: str, facts: Facts) -> Message:
        """The answer in words; the raw facts if its template fails.

        The same facts make the same words: when many ask the same at once, they are put into words once.
        """
        latest = self._latest.get(template)
        if latest is not None and latest[0] == facts:
            return latest[1]
        data = facts.as_json()
        try:
            message = self._voice.message(template, data)
        except TemplateFailed as error:
            log.error("template_failed", template=template, detail=str(error))
            return Message(self._voice.plain(data))
        self._latest[template] = (facts, message)
        return message

    async def respond(self, response_url: str, message: Message, *, replace: bool = False) -> None:
        """Answer only the one who asked, or replace the message that the click was on."""
        payload: dict[str, JsonValue] = {**message.as_payload(), "replace_original": replace}
        if not replace:
            payload["response_type"] = "ephemeral"
        try:
            # The session of all; the library's webhook client would open one for each answer.
            async with self._session.post(response_url, json=payload) as answer:
                if answer.status != 200:
                    log.warning("answer_not_taken", status=answer.status, body=(await answer.text())[:200])
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("answer_not_sent", detail=type(error).__name__)

    async def say(self, channel: str, message: Message, thread_ts: str | None = None) -> None:
        """Answer in a conversation."""
        try:
            await self._client.chat_postMessage(
                channel=channel,
                text=message.text,
                blocks=message.blocks or None,
                attachments=message.attachments or None,
                thread_ts=thread_ts,
                unfurl_links=False,
            )
        except SlackApiError as error:
            log.warning("answer_not_taken", channel=channel, detail=error_code(error))
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("answer_not_sent", detail=type(error).__name__)

    def phrase(self, key: str, **values: object) -> str:
        """A short plain text, such as what is wrong with a field of a form."""
        return self._voice.phrase(key, **values)

    def plain(self, template: str, facts: Facts) -> str:
        """The answer without markup, for where Slack reads none."""
        return self._voice.unmarked(template, facts.as_json())

    async def open_form(self, trigger_id: str, form: Form) -> bool:
        """As `open_modal`."""
        return await self.open_modal(trigger_id, form.template, form.facts, form.callback, form.metadata)

    async def update_modal(self, view_id: str, version: str, form: Form) -> None:
        """Draw a form anew that somebody has open, unless it was drawn anew since that version (`hash`)."""
        try:
            view = self._voice.modal(form.template, form.facts.as_json(), form.callback, form.metadata)
            await self._client.views_update(view_id=view_id, hash=version, view=view)
        except TemplateFailed as error:
            log.error("template_failed", template=form.template, detail=str(error))
        except SlackApiError as error:
            log.warning("modal_not_taken", detail=error_code(error))
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("modal_not_sent", detail=type(error).__name__)

    async def open_modal(
        self, trigger_id: str, name: str, facts: Facts, callback_id: str, metadata: str
    ) -> bool:
        """Open a form for whoever pressed or typed something within the last three seconds; whether it is
        open."""
        try:
            view = self._voice.modal(name, facts.as_json(), callback_id, metadata)
            await self._client.views_open(trigger_id=trigger_id, view=view)
            return True
        except TemplateFailed as error:
            log.error("template_failed", template=name, detail=str(error))
        except SlackApiError as error:
            log.warning("modal_not_taken", detail=error_code(error))
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("modal_not_sent", detail=type(error).__name__)
        return False

    async def publish_home(self, user_id: str, facts: Mapping[str, JsonValue]) -> None:
        """Draw someone's Home tab."""
        try:
            view = self._voice.home(facts)
            await self._client.views_publish(user_id=user_id, view=view)
        except TemplateFailed as error:
            log.error("template_failed", template="home", detail=str(error))
        except SlackApiError as error:
            log.warning("home_not_taken", detail=error_code(error))
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("home_not_sent", detail=type(error).__name__)
