"""What can be written, as values: a list of changes is one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bot.domain.alerts.ladder import Recipient
from bot.domain.alerts.model import Alert, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.storm import Storm
from bot.domain.letters import Card, Letter
from bot.domain.levels import Level


class NewAlert(NamedTuple):
    """An alert that has just begun."""

    alert: Alert


class ChangedAlert(NamedTuple):
    """An alert as it is now, if it still is at version `expected`."""

    alert: Alert
    expected: int


@dataclass(frozen=True, slots=True)
class DroppedAlert:
    """A pending alert that came to nothing."""

    alert_id: int


class DecisionMade(NamedTuple):
    """A line in the history of an alert."""

    alert_id: int
    version: int
    at: datetime
    event: str
    reason: Reason
    from_status: Status | None
    to_status: Status
    level: Level
    value: float | None
    actor: str | None
    detail: str | None = None
    """what it was about beside the alert: `silence:3`, `maintenance:nightly`, `inhibited:17`, `storm:2`,
    `step:1.2:schedule:primary` (round 1, step 2, who was to be called, a line each)"""


class PageMade(NamedTuple):
    """People were called; (alert, epoch, round, step) is there once."""

    alert_id: int
    epoch: int
    round: int
    step: int
    at: datetime
    recipients: tuple[Recipient, ...]
    level: Level
    metric: str


@dataclass(frozen=True, slots=True)
class StormSaved:
    """A storm as it is now."""

    storm: Storm


class NewLetter(NamedTuple):
    """A letter to send."""

    letter: Letter


@dataclass(frozen=True, slots=True)
class LetterLeased:
    """A letter is about to be sent; until then nobody else may."""

    letter_id: int
    attempts: int
    until: datetime


@dataclass(frozen=True, slots=True)
class LetterReleased:
    """Sending failed for certain: nothing has arrived, and it is tried again."""

    letter_id: int
    error: str


@dataclass(frozen=True, slots=True)
class LetterSent:
    """Slack has taken it; `card` says where, when it was a card."""

    letter_id: int
    at: datetime
    ts: str
    card: Card | None


@dataclass(frozen=True, slots=True)
class CardLost:
    """The card of a stream is gone, if it still is the one at `ts`."""

    stream: str
    ts: str


@dataclass(frozen=True, slots=True)
class LetterSuperseded:
    """A newer edit of the same card says it all."""

    letter_id: int


@dataclass(frozen=True, slots=True)
class LetterDead:
    """Given up."""

    letter_id: int
    at: datetime
    error: str


Change = (
    NewAlert
    | ChangedAlert
    | DroppedAlert
    | DecisionMade
    | PageMade
    | StormSaved
    | NewLetter
    | LetterLeased
    | LetterReleased
    | LetterSent
    | CardLost
    | LetterSuperseded
    | LetterDead
)
