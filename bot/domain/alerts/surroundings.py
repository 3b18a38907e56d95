"""What the alert machine asks of its surroundings while it decides: answers, not actions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from bot.domain.alerts.covers import Cover
from bot.domain.alerts.ladder import Policy, Recipient, Target, TargetKind
from bot.domain.levels import Level

NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Route:
    """Where an alert goes: the channel's name, the policy, and which route of the configuration said so."""

    channel: str
    policy: Policy
    name: str = "default"


class Surroundings(Protocol):
    """The labels of one subject, and what follows from them at one moment. Pure: equal questions, equal
    answers, nothing changed by asking."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The subject's labels without `level`, which the machine alone knows."""
        ...

    def route(self, level: Level) -> Route:
        """Where an alert of this subject goes at that level."""
        ...

    def cover(self, level: Level, now: datetime, without: Collection[str] = ()) -> Cover | None:
        """Why nobody should be told of an alert of this subject at that level now, leaving out the silences
        with the numbers of `without`."""
        ...

    def reach(self, targets: Sequence[Target], now: datetime) -> tuple[Recipient, ...]:
        """Who or what those targets are now, each once; empty where nobody is on call."""
        ...


NOBODY = Policy()
"""A policy that pages nobody."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Surroundings where nothing is configured: one channel, nobody to page, nothing covered."""

    channel: str = ""
    policy: Policy = NOBODY
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)

    def route(self, level: Level) -> Route:
        """Always the one channel and policy."""
        return Route(self.channel, self.policy)

    def cover(self, level: Level, now: datetime, without: Collection[str] = ()) -> Cover | None:
        """Nothing is ever covered."""
        return None

    def reach(self, targets: Sequence[Target], now: datetime) -> tuple[Recipient, ...]:
        """Whatever needs no looking up: everything but schedules."""
        return tuple(
            dict.fromkeys(
                Recipient(target.kind, target.name, target.name)
                for target in targets
                if target.kind is not TargetKind.SCHEDULE
            )
        )


NOWHERE = Plain()
