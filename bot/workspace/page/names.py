"""The names behind ids that a text mentions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Names:
    """What a reader calls the people, channels and groups of a workspace."""

    viewer: str = ""
    """the reader's user id: what mentions him is highlighted"""
    users: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    viewer_groups: frozenset[str] = frozenset()
    """ids of the groups the reader is in"""

    def user(self, user_id: str) -> str:
        """The user's display name, or the id itself when nobody is known by it."""
        return self.users.get(user_id, user_id)

    def channel(self, channel_id: str) -> str:
        """The channel's name without `#`, or its id when it isn't known."""
        return self.channels.get(channel_id) or channel_id

    def group(self, group_id: str) -> str:
        """The group's handle without `@`, or its id when it isn't known."""
        return self.groups.get(group_id, group_id)
