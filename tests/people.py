"""People in a local workspace: what they type and press, and what they see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from bot.workspace.delivery import EnvelopeKind
from bot.workspace.elements import chosen
from bot.workspace.model import Channel, Container, Message, Outcome, User, View
from bot.workspace.payloads import Payloads, Spot
from bot.workspace.server import Running
from tests.waiting import CEILING, eventually

ALERTS, OPS = "guardian-alerts", "guardian-ops"


def words(shown: Message | View) -> str:
    """Everything that a message or view says, its buttons included."""
    text = shown.text if isinstance(shown, Message) else ""
    attachments = shown.attachments if isinstance(shown, Message) else ()
    return "\n".join([text, *_texts(list(shown.blocks)), *_texts(list(attachments))])


def _texts(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        return [text for key, child in value.items() for text in _texts_at(key, child)]
    return [text for child in value for text in _texts(child)] if isinstance(value, list) else []


def _texts_at(key: str, value: JsonValue) -> list[str]:
    return [value] if key == "text" and isinstance(value, str) else _texts(value)


def elements(shown: Message | View, action_id: str) -> list[tuple[str, Mapping[str, JsonValue]]]:
    """The interactive elements of that action, each with the id of its block."""
    raw = json.loads(json.dumps([list(shown.blocks), list(getattr(shown, "attachments", ()))]))
    return list(_elements(raw, action_id, ""))


def _elements(value: JsonValue, action_id: str, block_id: str) -> list[tuple[str, Mapping[str, JsonValue]]]:
    if isinstance(value, list):
        return [found for child in value for found in _elements(child, action_id, block_id)]
    if not isinstance(value, dict):
        return []
    if value.get("action_id") == action_id:
        return [(block_id, value)]
    here = str(value.get("block_id", block_id))
    return [found for child in value.values() for found in _elements(child, action_id, here)]


@dataclass(frozen=True)
class Person:
    """One of the workspace's people."""

    slack: Running
    user: User

    @property
    def id(self) -> str:
        """The user id."""
        return self.user.id

    def channel(self, name: str) -> Channel:
        """The channel of that name."""
        return self.slack.workspace.channel_named(name)

    def sees(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """What they see there, oldest first, their ephemeral messages included."""
        return self.slack.workspace.messages(self.channel(channel).id, self.id, thread_ts, limit=500)

    async def types(self, line: str, channel: str = "general") -> Message:
        """Type a slash command; the answer that only they see. That a plan is still being made is none: what
        follows it is, however long a slow machine takes for it."""
        before = {message.ts for message in self.sees(channel)}
        outcome = await self.slack.workspace.run_command(self.id, self.channel(channel).id, line)
        assert outcome.error is None, outcome
        return await eventually(
            lambda: next(
                (
                    m
                    for m in self.sees(channel)
                    if m.ts not in before and m.ephemeral_for == self.id and not words(m).startswith("🔎")
                ),
                None,
            )
        )

    async def types_until_answered(self, line: str, channel: str = "general") -> Message:
        """Type it again while Slack says that the app did not answer, as one does."""
        place = self.channel(channel).id
        async with asyncio.timeout(CEILING):
            while (await self.slack.workspace.run_command(self.id, place, line)).error is not None:
                await eventually(lambda: self.slack.workspace.app_online(self.slack.app.id))
        return await self.is_told("", channel)

    async def says(self, text: str, channel: str = "general", thread_ts: str | None = None) -> Message:
        """Post a message."""
        place = self.channel(channel).id
        return await self.slack.workspace.post_as_user(self.id, place, text, thread_ts)

    async def mentions(self, text: str, channel: str = "general") -> Message:
        """Mention the bot; the answer in the thread."""
        bot = self.slack.workspace.users()[-1]
        asked = await self.says(f"@{bot.name} {text}", channel)
        return await eventually(lambda: next(iter(self.sees(channel, asked.ts)[1:]), None))

    async def writes(self, text: str) -> Message:
        """Write to the bot directly; the answer."""
        place = self.slack.workspace.book.direct(self.id, self.slack.app.bot_user)
        asked = await self.says(text, place.id)
        return await eventually(
            lambda: next((m for m in self.sees(place.id) if m.ts > asked.ts and m.user != self.id), None)
        )

    async def presses(self, shown: Message | View, action_id: str = "alert_ack") -> Outcome:
        """Press a button on what they see."""
        block_id, element = elements(shown, action_id)[0]
        action: dict[str, JsonValue] = {"block_id": block_id, "action_id": action_id}
        return await self._acts(shown, action, element)

    async def presses_late(self, seen: Message, action_id: str = "alert_ack") -> None:
        """Press a button on a message as it was when they saw it, whatever it has become meanwhile."""
        workspace, app = self.slack.workspace, self.slack.app
        workspace.posts.saw(self.id)  # who presses is there, and sees what only they can see
        block_id, element = elements(seen, action_id)[0]
        spot = Spot(app, channel=workspace.book.channels[seen.channel], message=seen)
        payloads = Payloads(workspace.book, workspace.wire, workspace.tickets)
        payload = payloads.actions(spot, self.user, chosen(dict(element), block_id, {}), None)
        await workspace.delivery.ask(app, EnvelopeKind.INTERACTIVE, payload, app.interactivity_url)

    async def is_told(self, said: str, channel: str = ALERTS) -> Message:
        """The message that only they see and that says this."""
        return await eventually(
            lambda: next((m for m in self.sees(channel) if m.ephemeral_for and said in words(m)), None)
        )

    async def chooses(self, shown: Message, value: str) -> Outcome:
        """Choose from the menu on a card."""
        block_id, element = elements(shown, "alert_more")[0]
        action: dict[str, JsonValue] = {
            "block_id": block_id,
            "action_id": "alert_more",
            "selected_option": {"value": value},
        }
        return await self._acts(shown, action, element)

    async def _acts(
        self, shown: Message | View, action: dict[str, JsonValue], element: Mapping[str, JsonValue]
    ) -> Outcome:
        if isinstance(shown, View):
            container = Container(view_id=shown.id)
        else:
            container = Container(channel_id=shown.channel, message_ts=shown.ts)
        outcome = await self.slack.workspace.click(self.id, container, action)
        assert outcome.error is None, (outcome, element)
        return outcome


def reader(slack: Running) -> Person:
    """Somebody who only looks."""
    return Person(slack, slack.workspace.users()[0])


def cards(slack: Running) -> list[Message]:
    """The alert cards, oldest first."""
    return [message for message in reader(slack).sees(ALERTS) if message.attachments]


async def first_report(slack: Running) -> None:
    """Wait until the Guardian has said how things are."""
    await eventually(lambda: any("시스템 상태" in words(message) for message in reader(slack).sees(OPS)))


async def online(slack: Running) -> None:
    """Wait until the Guardian hears what people say."""
    await eventually(lambda: slack.workspace.app_online(slack.app.id))
