"""What messages about silences, maintenance windows and routes need to know; rules as in `messages.facts`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from messages.facts import AlertFacts, Facts


@dataclass(frozen=True, slots=True)
class SilenceFacts(Facts):
    """One silence."""

    id: int
    matcher: str
    starts_at: str
    ends_at: str
    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class SilenceListFacts(Facts):
    """Silences that hold or will: the answer to `silence`."""

    silences: tuple[SilenceFacts, ...]
    at: str
    command: str
    """the slash command as people type it, `/guardian`"""


@dataclass(frozen=True, slots=True)
class SilenceDoneFacts(Facts):
    """A silence was made or lifted."""

    silence: SilenceFacts
    action: str
    """added or lifted"""
    hides: int
    """open alerts that it covers"""


@dataclass(frozen=True, slots=True)
class WindowFacts(Facts):
    """One maintenance window. `id` is 0 for one of the configuration, which nobody can end by a command."""

    id: int
    name: str
    matcher: str
    active: bool
    starts_at: str
    """of the one that is under way, else of the next"""
    ends_at: str
    weekly: bool
    owner: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class WindowListFacts(Facts):
    """Windows that are under way or will be: the answer to `maintenance`."""

    windows: tuple[WindowFacts, ...]
    at: str
    command: str


@dataclass(frozen=True, slots=True)
class WindowDoneFacts(Facts):
    """A window was made or ended."""

    window: WindowFacts
    action: str
    """added or ended"""


@dataclass(frozen=True, slots=True)
class CoverRefusedFacts(Facts):
    """A silence or window can't be, and nothing has changed."""

    what: str
    """the command: silence, maintenance, route or alerts"""
    fault: str
    """`bot.domain.silences.CoverFault`, or `matcher_FAULT` of `bot.domain.matcher_notation.MatcherFault`"""
    command: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    """what the sentence names"""


@dataclass(frozen=True, slots=True)
class CoverConfirmFacts(Facts):
    """A silence or window would hide everything: it is asked for twice, and nothing has changed."""

    what: str
    """silence or maintenance"""
    matcher: str
    starts_at: str
    ends_at: str
    reason: str
    everything: bool
    """whatever there may ever be, and not just all that is known"""
    hides: tuple[AlertFacts, ...]
    """open alerts that it would cover, worst first; some of them"""
    total: int
    """how many those are"""


@dataclass(frozen=True, slots=True)
class SilenceModalFacts(Facts):
    """The form for a silence about one alert."""

    alert: AlertFacts
    matcher: str
    """what it would be about"""


@dataclass(frozen=True, slots=True)
class TriedFacts(Facts):
    """A route that was asked; `label` and the next two are None for the one that takes the alert."""

    route: str
    matcher: str
    condition: str | None
    """the condition that does not hold"""
    label: str | None
    found: str | None
    """the label's value, empty where it is absent"""


@dataclass(frozen=True, slots=True)
class StepFacts(Facts):
    """One step of a ladder."""

    after_seconds: float
    targets: tuple[str, ...]
    """as the configuration names them"""


@dataclass(frozen=True, slots=True)
class LadderFacts(Facts):
    """The ladder of one level."""

    level: str
    steps: tuple[StepFacts, ...]
    rounds: int
    pause_seconds: float
    every_seconds: float | None
    """how often all are paged behind the last round; None: no more"""


@dataclass(frozen=True, slots=True)
class RouteFacts(Facts):
    """Which way an alert with these labels goes: the answer to `route`."""

    labels: Mapping[str, str]
    level: str
    route: str
    channel: str
    policy: str
    tried: tuple[TriedFacts, ...]
    """the routes in their order, the one that takes it last"""
    ladders: tuple[LadderFacts, ...]
    """of all levels"""
