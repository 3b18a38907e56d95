"""Roles: who may look, ask, approve, and everything. A higher one may what a lower one may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from bot.domain.audit import GUARDIAN


class Role(IntEnum):
    """What somebody may do. What it is called is in `terms.role`."""

    VIEWER = 0
    """look at everything"""
    OPERATOR = 1
    """ask for operations, cancel their own, lock and unlock what is theirs"""
    APPROVER = 2
    """approve and deny; lift what others locked"""
    ADMINISTRATOR = 3
    """all that, and be told when somebody breaks the glass"""

    @property
    def word(self) -> str:
        """`operator`, as in the configuration."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Roles:
    """Who has which role. `members` are Slack user ids by role, user groups already taken apart.

    Without any assignment everybody may do everything: whoever sets the Guardian up has to start somewhere.
    """

    members: Mapping[Role, frozenset[str]] = field(default_factory=dict)
    assigned: bool = False
    """whether the configuration names anybody at all, known by now or not"""

    def of(self, user: str) -> Role:
        """The highest role of that user. The Guardian itself may start what its configuration schedules."""
        if not self.assigned or user == GUARDIAN:
            return Role.ADMINISTRATOR
        return max((role for role, users in self.members.items() if user in users), default=Role.VIEWER)

    def may(self, user: str, needed: Role) -> bool:
        """Whether the user has that role or a higher one."""
        return self.of(user) >= needed

    def who_could(self, needed: Role, besides: Iterable[str] = ()) -> tuple[str, ...]:
        """Everybody with that role or a higher one, but for some: for a refusal that says whom to ask."""
        left_out = frozenset(besides)
        found = {
            user
            for role, users in self.members.items()
            if role >= needed
            for user in users
            if user not in left_out
        }
        return tuple(sorted(found))
