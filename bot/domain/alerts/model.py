"""The values that the alert machine works on. All are frozen: a decision gives a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol

from bot.domain.alerts.covers import Cover
from bot.domain.alerts.ladder import Policy, Progress, Recipient, Target
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.surroundings import NO_LABELS
from bot.domain.bands import Bands
from bot.domain.levels import Level
from probes.base import Layer, Problem


class Status(StrEnum):
    """Where an alert stands. OK has no row: an alert begins with its first bad check."""

    PENDING = "pending"
    FIRING = "firing"
    ACKED = "acked"
    RESOLVED = "resolved"

    @property
    def is_open(self) -> bool:
        """Whether people have been told and it is not over."""
        return self in _OPEN


_OPEN = frozenset({Status.FIRING, Status.ACKED})
"""asked many times about every alert"""


class Condition(StrEnum):
    """What is wrong: part of an alert's identity."""

    THRESHOLD = "threshold"
    NO_DATA = "no_data"
    REPORTED = "reported"
    """another monitoring system says so, by webhook"""
    HEARTBEAT = "heartbeat"
    """a job that must report has not"""
    FAILED_RUN = "failed_run"
    """an operation did not end as it should: no state that lasts, so that it says nothing about how things
    are now"""

    @property
    def is_others(self) -> bool:
        """Whether somebody else judges: no probe of ours checks it again and again."""
        return self in (Condition.REPORTED, Condition.HEARTBEAT, Condition.FAILED_RUN)

    @property
    def is_state(self) -> bool:
        """Whether it tells how something is, until that changes."""
        return self is not Condition.FAILED_RUN


@dataclass(frozen=True, slots=True)
class Rule:
    """How readings of one metric are judged. The defaults are those of the design's section State.

    confirm, confirm_critical, confirm_emergency: bad checks in a row before a level counts.
    clear: good checks in a row beyond the exit threshold; margin: how far that lies on the good side of
    the entry bound, in the metric's own unit. missed: intervals without data before that is an alert.
    """

    metric: str
    layer: Layer
    bands: Bands | None
    confirm: int = 3
    confirm_critical: int = 2
    confirm_emergency: int = 1
    clear: int = 2
    margin: float = 5.0
    missed: int = 3
    reopen_within: timedelta = timedelta(minutes=15)
    repeat_window: timedelta = timedelta(minutes=5)
    report_stale_after: timedelta = timedelta(hours=1)
    """a report older than this keeps nobody from calling the alert resolved"""

    def checks_for(self, level: Level) -> int:
        """How many bad checks in a row confirm `level`; security events need one (design, State).

        A worse level never needs more than a milder one: with `confirm=1` one critical check is enough.
        """
        needed = self.confirm
        if level >= Level.CRITICAL:
            needed = min(needed, self.confirm_critical)
        if level is Level.EMERGENCY or self.layer is Layer.SECURITY:
            needed = min(needed, self.confirm_emergency)
        return needed


class Rules(Protocol):
    """Finds the rule for a reading."""

    def rule_for(self, metric: str, target: str, layer: Layer) -> Rule:
        """How readings of that metric on that target are judged; a rule without bands if nothing is bad."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about. Neither level nor value belong to it, so a worse value is the same alert."""

    environment: str
    source: str
    """identity of the probe that measures it, `name:target`"""
    metric: str
    target: str
    condition: Condition
    key: str = field(init=False, compare=False, repr=False)
    """the dedupe key: at most one open alert has it"""

    def __post_init__(self) -> None:
        parts = (self.environment, self.source, self.metric, self.target, self.condition)
        key = hashlib.sha256("\x1f".join(parts).encode(errors="replace")).hexdigest()[:32]
        object.__setattr__(self, "key", key)


class Alert(NamedTuple):
    """One alert from its first bad check to the end of its reopening time.

    `version` counts transitions (status, level, reopening), not readings, so that a button stays good
    while only the figures change.
    """

    id: int
    subject: Subject
    layer: Layer
    version: int
    status: Status
    level: Level
    peak_level: Level
    unit: str
    value: float | None
    band: str | None
    target_band: str | None
    problem: Problem | None
    detected_at: datetime
    """when the first of the bad checks in a row was taken that it opened with; a reopening keeps it"""
    last_at: datetime
    """when the latest check was taken"""
    recent: tuple[int, ...] = ()
    """levels of the last checks, 0 for a good one; as many as the longest confirmation needs"""
    below: tuple[int, ...] = ()
    """levels, after hysteresis, of the last checks in a row that were below the alert's own level"""
    value_at_firing: float | None = None
    peak: float | None = None
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    acked_by: str | None = None
    acked_at: datetime | None = None
    last_post_at: datetime | None = None
    """when the card was last posted or edited by decision: start of the window against repeats"""
    repeats: int = 0
    reopened: int = 0
    facts: Mapping[str, str] = NO_LABELS
    reason: Reason = Reason.BELOW_CONFIRMATION
    title: str = ""
    """what a reported alert or a job calls itself; empty for our own metrics, whose words are in messages/"""
    labels: Mapping[str, str] = NO_LABELS
    """what routes, silences and inhibition match, `level` aside"""
    channel: str = ""
    """where its card is; copied when it opened, as are `route` and `policy`"""
    route: str = ""
    policy: Policy | None = None
    progress: Progress | None = None
    """how far it is on the ladder; None while nothing is due to anybody"""
    epoch: int = 0
    """how often the ladder has begun"""
    ack_until: datetime | None = None
    """when the acknowledgement expires"""
    seen_by: tuple[str, ...] = ()
    """who acknowledged it or wrote in its thread since it opened"""
    pages: int = 0
    """how often people were paged since it opened"""
    cover: Cover | None = None
    """why nobody is told just now"""
    broken: tuple[str, ...] = ()
    """the silences that a rise in level has broken: they count no more for this alert"""
    carded: bool = False
    """whether it has a card of its own or a line in a storm's"""
    storm: int | None = None
    """the storm that gathers it instead of a card of its own"""
    last_bad: bool = True
    """whether the latest check was bad, whatever hysteresis says"""
    flips: int = 0
    """the last 20 results, a bit each: 1 where it differs from the one before; the newest is bit 0"""
    flapping: bool = False
    reopenings: tuple[datetime, ...] = ()
    """when it came back lately, held open or not: at most three moments"""
    floor: Level | None = None
    """a level that something else than the bands raises it to"""
    floor_why: str | None = None
    """forecast, layers or no_backend"""


_PLACES = {name: place for place, name in enumerate(Alert._fields)}


def _with_changes(alert: Alert, /, **changes: object) -> Alert:
    """What the named tuple's own way does, in half the time: with fifty fields that is felt."""
    values: list[object] = list(alert)
    for name, value in changes.items():
        values[_PLACES[name]] = value
    return tuple.__new__(Alert, values)


Alert._replace = _with_changes  # type: ignore[method-assign,assignment]  # its own signature still checks callers


@dataclass(frozen=True, slots=True)
class Measured:
    """A check gave a value."""

    value: float
    at: datetime
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    in_a_row: timedelta | None = None
    """how long after the last check this one still counts as the next; None: however long"""
    apart: timedelta = timedelta(0)
    """how long after the last check this one must be to count at all: three looks within a second, as after
    restarts, are one look"""


@dataclass(frozen=True, slots=True)
class Missed:
    """A check gave no value."""

    problem: Problem
    at: datetime
    in_a_row: timedelta | None = None
    apart: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Someone pressed 확인 on a card drawn for `version`."""

    by: str
    version: int


@dataclass(frozen=True, slots=True)
class Unwatched:
    """What this alert is about is no longer there: not in the configuration, or not on the machine."""


class Reported(NamedTuple):
    """Somebody else's judgement: another monitoring system, or a job's deadline. Needs no confirmation."""

    firing: bool
    level: Level
    at: datetime
    title: str = ""
    facts: Mapping[str, str] = NO_LABELS


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline of this alert has come, or what lies over it may have changed."""


@dataclass(frozen=True, slots=True)
class Active:
    """Somebody wrote in the alert's thread."""

    by: str


@dataclass(frozen=True, slots=True)
class ResolvedByHand:
    """Someone says it is over, on a card drawn for `version`."""

    by: str
    version: int


@dataclass(frozen=True, slots=True)
class Raised:
    """Something else than the bands asks for at least `level` (forecast, layers, no_backend), or no more."""

    level: Level | None
    why: str | None = None


Event = Measured | Missed | Acknowledged | Unwatched | Reported | Due | Active | ResolvedByHand | Raised


class Note(StrEnum):
    """A line in the alert's thread."""

    OPENED = "opened"
    ACKED = "acked"
    LEVEL_UP = "level_up"
    LEVEL_DOWN = "level_down"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    AGAIN = "again"
    """another run has failed"""
    NO_DATA = "no_data"
    MEASURED_AGAIN = "measured_again"
    RESOLVED_BY_HAND = "resolved_by_hand"
    ACK_EXPIRED = "ack_expired"
    EMPTY_STEP = "empty_step"
    """nobody was there to be paged by a step; the next one comes at once"""
    COVERED = "covered"
    """a silence, a maintenance window or a dependency lies over it from now on"""
    UNCOVERED = "uncovered"
    """it was covered and still fails"""
    SILENCE_BROKEN = "silence_broken"
    FLAPPING = "flapping"
    FLAPPING_OVER = "flapping_over"


@dataclass(frozen=True, slots=True)
class PostCard:
    """Put a new card into the alert channel."""


@dataclass(frozen=True, slots=True)
class EditCard:
    """Draw the card again in place."""


@dataclass(frozen=True, slots=True)
class AddNote:
    """Add a line to the card's thread, also shown in the channel when `broadcast`."""

    note: Note
    broadcast: bool = False
    actor: str | None = None
    from_level: Level | None = None
    step: int | None = None
    """which step of the ladder, for EMPTY_STEP"""
    round: int | None = None
    """of which round, for EMPTY_STEP"""
    meant: tuple[Target, ...] = ()
    """who was to be called, for EMPTY_STEP"""


@dataclass(frozen=True, slots=True)
class Page:
    """Call people. (alert, epoch, round, step) happens once."""

    recipients: tuple[Recipient, ...]
    epoch: int
    round: int
    step: int
    expired: bool = False
    """because an acknowledgement expired, and not because a step of the ladder was due"""


Effect = PostCard | EditCard | AddNote | Page


class Decision(NamedTuple):
    """What became of an event: the alert as it is now (None: nothing to remember), what people see, why."""

    alert: Alert | None
    effects: tuple[Effect, ...]
    reason: Reason

    @property
    def silent(self) -> bool:
        """Whether nobody sees anything of it."""
        return not self.effects

    @property
    def posts(self) -> bool:
        """Whether it puts a new card up."""
        for effect in self.effects:  # asked about every alert of a storm: a generator takes twice as long
            if isinstance(effect, PostCard):
                return True
        return False

    def about(self, number: int) -> Decision:
        """The same with that number for its alert, which is new."""
        return self if self.alert is None else self._replace(alert=self.alert._replace(id=number))
