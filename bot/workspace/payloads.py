"""The payloads of commands and interactions, as Slack sends them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.workspace.book import Book
from bot.workspace.elements import state_of
from bot.workspace.ids import now
from bot.workspace.model import App, Channel, ChannelKind, Command, JsonObject, Message, User, View
from bot.workspace.tickets import Tickets
from bot.workspace.wire import Wire

_OLD_TOKEN_FIELD = {"token": "verification-is-by-signature"}
"""Slack still sends this field, which signatures have replaced; it opens nothing."""


@dataclass(frozen=True, slots=True)
class Spot:
    """The thing that was used, resolved: a message or a view."""

    app: App
    channel: Channel | None = None
    message: Message | None = None
    view: View | None = None

    @property
    def blocks(self) -> tuple[JsonObject, ...]:
        """All blocks that can be used there, of attachments too."""
        if self.view is not None:
            return self.view.blocks
        if self.message is None:
            return ()
        found = list(self.message.blocks)
        for attachment in self.message.attachments:
            blocks = attachment.get("blocks")
            if isinstance(blocks, list):
                found += [block for block in blocks if isinstance(block, dict)]
        return tuple(found)


class Payloads:
    """Builds payloads; hands out a trigger id with each and a response URL where Slack does."""

    def __init__(self, book: Book, wire: Wire, tickets: Tickets) -> None:
        self._book = book
        self._wire = wire
        self._tickets = tickets

    def response_url(self, secret: str) -> str:
        """The full address of a response URL."""
        return f"{self._wire.origin}/actions/{self._book.team.id}/{secret}"

    def command(self, app: App, command: Command, user: User, channel: Channel, text: str) -> JsonObject:
        """A slash command. It has no thread: what answers it goes to the channel."""
        secret = self._tickets.response(app.id, user.id, channel.id)
        return {
            **_OLD_TOKEN_FIELD,
            "team_id": self._book.team.id,
            "team_domain": self._book.team.domain,
            "channel_id": channel.id,
            "channel_name": _name(channel),
            "user_id": user.id,
            "user_name": user.name,
            "command": command.command,
            "text": text,
            "api_app_id": app.id,
            "is_enterprise_install": "false",
            "response_url": self.response_url(secret),
            "trigger_id": self._tickets.trigger(app.id, user.id),
        }

    def actions(self, spot: Spot, user: User, action: JsonObject, values: JsonObject | None) -> JsonObject:
        """A `block_actions` payload."""
        payload = self._interaction("block_actions", spot, user)
        payload["actions"] = [action]
        if spot.view is None:
            payload["state"] = {"values": state_of(spot.blocks, values)}
        return payload

    def suggestion(self, spot: Spot, user: User, block_id: str, action_id: str, typed: str) -> JsonObject:
        """A `block_suggestion` payload."""
        payload = self._interaction("block_suggestion", spot, user, with_tickets=False)
        return {**payload, "action_id": action_id, "block_id": block_id, "value": typed}

    def view(self, kind: str, view: View, app: App, user: User) -> JsonObject:
        """A `view_submission` or `view_closed` payload."""
        payload: JsonObject = {
            "type": kind,
            "team": self._team(),
            "user": self._user(user),
            "api_app_id": app.id,
            **_OLD_TOKEN_FIELD,
            "view": self._wire.view(view),
            "is_enterprise_install": False,
            "enterprise": None,
        }
        if kind == "view_submission":
            payload["trigger_id"] = self._tickets.trigger(app.id, user.id)
            payload["response_urls"] = list(view.response_urls)
        return payload

    def shortcut(self, spot: Spot, user: User, callback_id: str) -> JsonObject:
        """A `shortcut` payload, or `message_action` for one on a message."""
        payload: JsonObject = {
            "type": "shortcut" if spot.message is None else "message_action",
            **_OLD_TOKEN_FIELD,
            "action_ts": f"{now():.6f}",
            "team": self._team(),
            "user": self._user(user),
            "is_enterprise_install": False,
            "enterprise": None,
            "callback_id": callback_id,
            "trigger_id": self._tickets.trigger(spot.app.id, user.id),
        }
        if spot.message is not None and spot.channel is not None:
            secret = self._tickets.response(spot.app.id, user.id, spot.channel.id)
            payload |= {
                "message": self._wire.message(spot.message),
                "message_ts": spot.message.ts,
                "channel": {"id": spot.channel.id, "name": _name(spot.channel)},
                "response_url": self.response_url(secret),
            }
        return payload

    def _interaction(self, kind: str, spot: Spot, user: User, *, with_tickets: bool = True) -> JsonObject:
        payload: JsonObject = {
            "type": kind,
            "user": self._user(user),
            "api_app_id": spot.app.id,
            **_OLD_TOKEN_FIELD,
            "team": self._team(),
            "enterprise": None,
            "is_enterprise_install": False,
        }
        if with_tickets:
            payload["trigger_id"] = self._tickets.trigger(spot.app.id, user.id)
        if spot.view is not None:
            payload["container"] = {"type": "view", "view_id": spot.view.id}
            payload["view"] = self._wire.view(spot.view)
        elif spot.message is not None and spot.channel is not None:
            self._add_message(payload, spot.message, spot.channel, user, spot.app, with_tickets)
        return payload

    def _add_message(
        self, payload: JsonObject, message: Message, channel: Channel, user: User, app: App, answerable: bool
    ) -> None:
        ephemeral = message.ephemeral_for is not None
        container: JsonObject = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
        }
        if message.thread_ts is not None:
            container["thread_ts"] = message.thread_ts
        payload["container"] = container
        payload["channel"] = {"id": channel.id, "name": _name(channel)}
        if not ephemeral:
            payload["message"] = self._wire.message(message)
        if answerable:
            thread_ts = message.thread_ts if message.is_reply else None
            secret = self._tickets.response(app.id, user.id, channel.id, thread_ts, message.ts)
            payload["response_url"] = self.response_url(secret)

    def _team(self) -> JsonObject:
        return {"id": self._book.team.id, "domain": self._book.team.domain}

    def _user(self, user: User) -> JsonObject:
        return {"id": user.id, "username": user.name, "name": user.name, "team_id": self._book.team.id}


def _name(channel: Channel) -> str:
    if channel.kind is ChannelKind.DIRECT:
        return "directmessage"
    return "privategroup" if channel.kind is ChannelKind.PRIVATE else channel.name
