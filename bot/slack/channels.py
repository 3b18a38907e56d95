"""From the channel names in the configuration to Slack's channels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.engine.delivery import Blocked
from bot.slack.failures import delivery_failures

_ID = re.compile(r"[CGD][A-Z0-9]{6,}")
_PAGE = 999


@dataclass(frozen=True, slots=True)
class Found:
    """A channel as Slack has it."""

    id: str
    is_archived: bool
    is_member: bool

    @property
    def problem(self) -> str | None:
        """Slack's error name for why nothing can be posted there; None when it can."""
        if self.is_archived:
            return "is_archived"
        return None if self.is_member else "not_in_channel"


class Channels:
    """Finds channels by name and remembers them; a name that is an id already is taken as it is."""

    def __init__(self, client: AsyncWebClient, *, private: bool = False) -> None:
        """`private`: look among private channels too, for which the app needs one scope more."""
        self._client = client
        self._types = "public_channel,private_channel" if private else "public_channel"
        self._known: dict[str, Found] = {}
        self._cursor: str | None = None
        self._complete = False

    async def id_of(self, name: str) -> str:
        """The id of the channel. Raises Blocked when there is none (yet), and another
        DeliveryFailed when Slack doesn't say."""
        if _ID.fullmatch(name):
            return name
        found = await self.find(name)
        if found is None:
            raise Blocked("channel_not_found")
        return found.id

    async def find(self, name: str) -> Found | None:
        """The channel of that name; None when the bot can see none. Raises as `id_of` does."""
        bare = name.removeprefix("#")
        while bare not in self._known and not self._complete:
            await self._read_page()
        if bare not in self._known:
            self.forget()  # it may be made until we are asked again
        return self._known.get(bare)

    def forget(self) -> None:
        """Ask Slack again next time: a channel was renamed, archived or made."""
        self._known.clear()
        self._cursor, self._complete = None, False

    async def _read_page(self) -> None:
        """Read one page more. What was read stays when Slack refuses the next one for a while: a large
        workspace has more pages than may be asked for in a minute."""
        with delivery_failures():
            page = await self._client.conversations_list(
                types=self._types, exclude_archived=False, limit=_PAGE, cursor=self._cursor
            )
        channels: list[Mapping[str, object]] = page.get("channels", [])
        for channel in channels:
            self._known[str(channel["name"])] = Found(
                str(channel["id"]), bool(channel.get("is_archived")), bool(channel.get("is_member"))
            )
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        self._cursor, self._complete = cursor or None, not cursor
