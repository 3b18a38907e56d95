"""From the handles in the configuration to Slack's users and user groups."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.engine.delivery import Blocked, DeliveryFailed, Temporary
from bot.slack.failures import delivery_failures
from bot.store.duty import DutyStore
from bot.store.errors import StoreUnavailable

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 3600.0
RETRY_SECONDS = 30.0
_BLOCKED_SECONDS = 300.0
"""until somebody may have mended the app's permissions"""
_USER = re.compile(r"[UW][A-Z0-9]{5,20}")
_GROUP = "group:"
_PAGE = 999


@dataclass
class _Directory:
    """Ids by handle and, where only one person has it, by display name. `cursor`: where reading goes on."""

    users: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str | None] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    members: dict[str, frozenset[str]] = field(default_factory=dict)
    """users of a group, by its id"""
    names: dict[str, str] = field(default_factory=dict)
    """what people are called, by id"""
    cursor: str | None = None

    def user(self, name: str) -> str | None:
        return self.users.get(name) or self.shown.get(name)

    def add(self, member: Mapping[str, object]) -> None:
        if member.get("deleted") or member.get("is_bot"):
            return
        number = str(member["id"])
        self.users[str(member.get("name", "")).casefold()] = number
        profile = member.get("profile")
        name = profile.get("display_name") if isinstance(profile, dict) else None
        self.names[number] = str(name or member.get("real_name") or member.get("name") or number)
        if isinstance(name, str) and name:
            shown = name.casefold()
            self.shown[shown] = number if self.shown.get(shown, number) == number else None


class SlackPeople:
    """Answers at once from what `refresh` has read; until that is complete, from what the database remembers.

    A Slack user id stands for itself. Of a handle that nobody has it is told once, until somebody has it.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        store: DutyStore | None = None,
        on_unknown: Callable[[str], None] = lambda reference: None,
        expected: Iterable[str] = (),
    ) -> None:
        """`expected`: the handles of the configuration, so that it is told at once who of them is unknown.
        `store`: where ids are remembered for a start while Slack is away."""
        self._client = client
        self._store = store
        self._on_unknown = on_unknown
        self._expected = dict.fromkeys(each for each in expected if not _USER.fullmatch(each))
        self._directory = _Directory()
        self._reading = _Directory()
        self._complete = False
        self._remembered: dict[str, str] = {}
        self._told: set[str] = set()

    async def load(self) -> None:
        """Read what was known when the Guardian last ran. Raises StoreUnavailable."""
        if self._store is not None:
            self._remembered = await self._store.people()

    def id_of(self, reference: str) -> str | None:
        """The user id of `@handle` (or of a display name that only one person has), or the id itself.
        None if nobody is called that, or while nothing is known yet."""
        return reference if _USER.fullmatch(reference) else self._known(reference)

    def find(self, reference: str) -> str | None:
        """The same, and nothing is told if nobody is called that."""
        if _USER.fullmatch(reference):
            return reference
        return self._look_up(reference) or (None if self._complete else self._remembered.get(reference))

    def group_of(self, handle: str) -> str | None:
        """The id of the user group `@handle`; None if there is none, or while nothing is known yet."""
        return self._known(_GROUP + handle)

    def holder_of(self, handle: str) -> str | None:
        """The user id of that handle, or the id itself: never by a display name, which is anybody's to take.
        For what gives power. None if nobody has it, or while nothing is known yet."""
        return handle if _USER.fullmatch(handle) else self._directory.users.get(_bare(handle))

    def members_of(self, handle: str) -> frozenset[str]:
        """Who is in the user group `@handle` (or of that id); nobody while nothing is known yet."""
        group = handle if handle in self._directory.members else self.group_of(handle)
        return self._directory.members.get(group or "", frozenset())

    def name_of(self, user: str) -> str:
        """What that user is called; the id itself while nobody knows."""
        return self._directory.names.get(user, user)

    async def run(self, every: float = REFRESH_SECONDS, retry: float = RETRY_SECONDS) -> None:
        """Refresh every hour, for ever; sooner when Slack did not answer."""
        while True:
            wait = await self.refresh()
            await asyncio.sleep(every if wait is None else max(wait, retry))

    async def refresh(self) -> float | None:
        """Read everybody anew. None when that is done; else after how many seconds to go on: what has been
        read stays, because a large workspace has more pages than may be asked for in a minute."""
        try:
            while not await self._read_page():
                pass
            self._reading.groups, self._reading.members = await self._groups()
        except Blocked as error:
            log.error("people_not_read", code=error.detail)
            return _BLOCKED_SECONDS
        except DeliveryFailed as error:
            log.warning("people_not_read", code=error.detail)
            return (error.retry_after or 0.0) if isinstance(error, Temporary) else 0.0
        self._directory, self._reading = self._reading, _Directory()
        self._complete = True
        found = {each: self._known(each) for each in list(self._expected)}
        await self._remember({each: user for each, user in found.items() if user is not None})
        return None

    async def refresh_groups(self) -> None:
        """Read who is in which group; nothing changes while Slack does not answer."""
        try:
            self._directory.groups, self._directory.members = await self._groups()
        except DeliveryFailed as error:
            log.warning("groups_not_read", code=error.detail)

    async def _read_page(self) -> bool:
        """Read one page; whether it was the last one."""
        with delivery_failures():
            page = await self._client.users_list(limit=_PAGE, cursor=self._reading.cursor)
        members: list[Mapping[str, object]] = page.get("members", [])
        for member in members:
            self._reading.add(member)
        self._reading.cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        return self._reading.cursor is None

    async def _groups(self) -> tuple[dict[str, str], dict[str, frozenset[str]]]:
        """All groups, and who is in them; none where the app may not see them, which must not cost us the
        people."""
        try:
            with delivery_failures():
                answer = await self._client.usergroups_list(include_users=True)
        except Blocked as error:
            log.error("groups_not_read", code=error.detail)
            return {}, {}
        groups: list[Mapping[str, object]] = answer.get("usergroups", [])
        handles = {str(group["handle"]).casefold(): str(group["id"]) for group in groups}
        members: dict[str, frozenset[str]] = {}
        for group in groups:
            users = group.get("users")
            members[str(group["id"])] = frozenset(map(str, users)) if isinstance(users, list) else frozenset()
        return handles, members

    def _known(self, reference: str) -> str | None:
        self._expected.setdefault(reference)
        found = self._look_up(reference)
        if not self._complete:
            return found or self._remembered.get(reference)
        if found is not None:
            self._told.discard(reference)
        elif reference not in self._told:
            self._told.add(reference)
            log.warning("unknown_person", reference=reference)
            self._on_unknown(reference)
        return found

    def _look_up(self, reference: str) -> str | None:
        if reference.startswith(_GROUP):
            return self._directory.groups.get(_bare(reference.removeprefix(_GROUP)))
        return self._directory.user(_bare(reference))

    async def _remember(self, people: dict[str, str]) -> None:
        if self._store is None or people == self._remembered:
            return
        self._remembered = people
        try:
            await self._store.remember_people(people)
        except StoreUnavailable as error:
            log.warning("people_not_remembered", detail=error.detail)


def _bare(handle: str) -> str:
    return handle.removeprefix("@").casefold()
