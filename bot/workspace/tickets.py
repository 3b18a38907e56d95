"""What an app gets for a short while: trigger ids and response URLs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from bot.workspace.errors import SlackError
from bot.workspace.ids import now
from bot.workspace.settings import Timings

RESPONSES = 5
_KEPT_SECONDS = 300.0
"""how long an old ticket is told apart from one that never was"""


@dataclass
class _Trigger:
    app_id: str
    user_id: str
    until: float
    used: bool = False


@dataclass
class ResponseTicket:
    """What a response URL may be used for."""

    app_id: str
    user_id: str
    channel_id: str
    until: float
    thread_ts: str | None = None
    message_ts: str | None = None
    """the message that was clicked, which may be replaced or deleted"""
    uses: int = 0


class Tickets:
    """All trigger ids and response URLs that were handed out."""

    def __init__(self, timings: Timings) -> None:
        self._timings = timings
        self._triggers: dict[str, _Trigger] = {}
        self._responses: dict[str, ResponseTicket] = {}

    def trigger(self, app_id: str, user_id: str) -> str:
        """A trigger id for what the user just did."""
        self._forget_old()
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = _Trigger(app_id, user_id, now() + self._timings.trigger)
        return trigger_id

    def use_trigger(self, app_id: str, trigger_id: str) -> str:
        """The user who did it; the id is used up. Raises SlackError as Slack does."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None or trigger.app_id != app_id:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if trigger.until < now():
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger.user_id

    def response(
        self,
        app_id: str,
        user_id: str,
        channel_id: str,
        thread_ts: str | None = None,
        message_ts: str | None = None,
    ) -> str:
        """The secret part of a new response URL."""
        self._forget_old()
        secret = secrets.token_urlsafe(24)
        until = now() + self._timings.response_url
        self._responses[secret] = ResponseTicket(app_id, user_id, channel_id, until, thread_ts, message_ts)
        return secret

    def use_response(self, secret: str) -> ResponseTicket:
        """What the response URL is for, counting one use. Raises SlackError."""
        ticket = self._responses.get(secret)
        if ticket is None:
            raise SlackError("invalid_url")
        if ticket.until < now():
            raise SlackError("expired_url")
        if ticket.uses >= RESPONSES:
            raise SlackError("used_url")
        ticket.uses += 1
        return ticket

    def _forget_old(self) -> None:
        edge = now() - _KEPT_SECONDS
        _forget_until(self._triggers, edge)
        _forget_until(self._responses, edge)


def _forget_until(tickets: dict[str, _Trigger] | dict[str, ResponseTicket], edge: float) -> None:
    """Drop what ended before the edge; the oldest come first, so that it stops at the first younger one."""
    while tickets:
        oldest = next(iter(tickets))
        if tickets[oldest].until >= edge:
            return
        del tickets[oldest]
