"""From the handles and user groups of the configuration to who has which role now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from bot.domain.operations.roles import Role, Roles
from bot.slack.people import SlackPeople

_GROUP = "group:"
_FRESH_SECONDS = 10.0
"""Slack lets us ask for the groups some twenty times a minute."""


class SlackRoles:
    """Who has which role. Handles and groups are Slack's to take apart."""

    def __init__(self, people: SlackPeople, members: Mapping[Role, Sequence[str]] | None) -> None:
        """`members`: `@handle`, a user id or `group:@handle`, by role; None: nobody is named, and everybody
        may do everything."""
        self._people = people
        self._members = members
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()

    def current(self) -> Roles:
        """By what is known of the workspace."""
        if self._members is None:
            return Roles()
        known = {role: self._users(named) for role, named in self._members.items()}
        return Roles(known, assigned=True)

    async def fresh(self) -> Roles:
        """By what the workspace says now: somebody may have lost a role since they pressed the button. While
        Slack does not answer, by what it said last."""
        grouped = self._members is not None and any(
            each.startswith(_GROUP) for named in self._members.values() for each in named
        )
        if grouped:
            async with self._asking:  # whoever comes while Slack is being asked waits for what it says
                now = time.monotonic()
                if self._asked_at is None or now - self._asked_at >= _FRESH_SECONDS:
                    await self._people.refresh_groups()
                    self._asked_at = now
        return self.current()

    def _users(self, named: Sequence[str]) -> frozenset[str]:
        users: set[str] = set()
        for each in named:
            if each.startswith(_GROUP):
                users |= self._people.members_of(each.removeprefix(_GROUP))
            elif (user := self._people.holder_of(each)) is not None:
                users.add(user)
        return frozenset(users)
