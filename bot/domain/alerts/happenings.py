"""What was changed on purpose: deployments, rollbacks, configuration. Part of why something may fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from pydantic import JsonValue


class ChangeKind(StrEnum):
    """What kind of change it was."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    CONFIG = "config"
    OTHER = "other"


DEPLOYS = frozenset({ChangeKind.DEPLOY, ChangeKind.ROLLBACK})


@dataclass(frozen=True, slots=True)
class Happening:
    """One change. What is empty is not known: a change without service and target is one of the environment,
    one without environment may be of any. `id` is 0 until it is written down."""

    at: datetime
    kind: ChangeKind
    service: str = ""
    environment: str = ""
    target: str = ""
    title: str = ""
    """what it calls itself: a version, a commit's first line"""
    url: str = ""
    by: str = ""
    """a Slack user id, or a name"""
    facts: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))
    id: int = 0
    until: datetime | None = None
    """when it was still going on, of one that takes a while, such as a canary"""

    @property
    def latest_at(self) -> datetime:
        """When it last was a change."""
        return self.until or self.at


def in_time(change: Happening) -> tuple[datetime, int]:
    """What the latest of several is the greatest by."""
    return change.at, change.id


def is_canary(change: Happening) -> bool:
    """Whether it is a deployment that was sharing the traffic, and nothing else is known of it yet."""
    return change.kind in DEPLOYS and change.facts.get("event") == "traffic"
