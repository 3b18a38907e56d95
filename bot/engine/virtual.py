"""What a simulation is made of: a world, a clock that is moved, a channel in which letters arrive at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from bot.domain.alerts.model import Rules
from bot.domain.inhibition import InhibitRule
from bot.domain.labels import NO_SERVICES, Services
from bot.domain.letters import Card, Letter
from bot.domain.maintenance import Window
from bot.domain.routing import Routes
from bot.engine.delivery import Arrived
from bot.engine.surroundings import NOBODY, Duty, People
from probes.registry import PROBES

UNKNOWN_SOURCE = "series"
"""What measures a metric that no probe knows."""


@dataclass(frozen=True, slots=True)
class World:
    """What surrounds the desk, as the configuration says. `every` is the time between two checks."""

    rules: Rules
    channel: str = "guardian-alerts"
    environment: str = "production"
    routes: Routes | None = None
    services: Services = NO_SERVICES
    inhibit: tuple[InhibitRule, ...] = ()
    windows: tuple[Window, ...] = ()
    duty: Duty = NOBODY
    people: People = NOBODY
    every: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one metric on one target; None where it could not be measured."""

    metric: str
    target: str
    value: float | None


@dataclass
class VirtualClock:
    """A clock that is moved. `elapsed` are the seconds that have passed, however the clock is set."""

    now: datetime
    elapsed: float = 0.0

    def __call__(self) -> datetime:
        return self.now

    def pass_until(self, moment: datetime) -> None:
        """Let time pass."""
        if moment > self.now:
            self.elapsed += (moment - self.now).total_seconds()
            self.now = moment


@dataclass
class Channel:
    """A courier whose letters arrive at once: `arrived` holds them in their order, edits too."""

    arrived: list[Letter] = field(default_factory=list)

    async def post(self, letter: Letter, thread: Card | None, delivery_ms: int) -> Arrived:
        """Take it."""
        self.arrived.append(letter)
        return Arrived(letter.channel, f"{len(self.arrived)}.000000")

    async def edit(self, letter: Letter, card: Card) -> None:
        """Take it."""
        self.arrived.append(letter)

    async def find(self, letter: Letter, thread: Card | None) -> Arrived | None:
        """It has not arrived: what was under way when a process ended never came here."""
        return None


@cache
def source_of(metric: str) -> str:
    """The probe that measures a metric; `series` if none does."""
    return next((name for name, probe in PROBES.items() if metric in probe.metrics), UNKNOWN_SOURCE)
