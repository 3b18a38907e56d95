"""What is known of a deployment, and of what lives in a slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.deploy.slots import Slot


class Kind(StrEnum):
    """What was asked for."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"


class Outcome(StrEnum):
    """How it went. All but the first are final."""

    RUNNING = "running"
    DONE = "done"
    """its revision carries production alone"""
    ROLLED_BACK = "rolled_back"
    """traffic is where it was before"""
    STOPPED = "stopped"
    """somebody ended it before it carried production traffic"""
    FAILED = "failed"
    """it ended before it carried production traffic, or nobody knows where traffic is: somebody has to
    look"""


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A deployment, or a rollback, as the database has it."""

    id: int
    """given by the database; 0 before"""
    operation_id: int
    service: str
    environment: str
    kind: Kind
    revision: str
    """that carries production when it is done"""
    previous: str | None
    """that carried production before; None where nothing did"""
    slot: Slot
    """that the revision lives in"""
    asked_by: str
    started_at: datetime
    decided_by: str | None = None
    outcome: Outcome = Outcome.RUNNING
    commit_at: datetime | None = None
    """when the revision was committed; None where no repository tells"""
    traffic_at: datetime | None = None
    """when it first carried production traffic; None when it never did"""
    failed_at: datetime | None = None
    """when the judge or a person decided that it goes back"""
    restored_at: datetime | None = None
    """when all traffic was where it was before"""
    ended_at: datetime | None = None
    requests: int | None = None
    """that the revision carried meanwhile; None where nobody counted"""
    errors: int | None = None
    undoes: int | None = None
    """the id of the deployment that a rollback undoes"""


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """What was put into a slot. What really lives there, the driver of releases knows."""

    service: str
    environment: str
    slot: Slot
    revision: str
    marker: str
    """of the run that put it there"""
    placed_at: datetime
    live_since: datetime | None = None
    """since when it carries production alone; None when it doesn't"""


def live_of(known: Mapping[Slot, SlotRecord]) -> SlotRecord | None:
    """The one that carried production alone when that was last written down."""
    return next((each for each in known.values() if each.live_since is not None), None)


@dataclass(frozen=True, slots=True)
class KeptRelease:
    """A revision that carried production alone once, and so can be gone back to."""

    revision: str
    deployment: int
    """the id of its latest deployment"""
    at: datetime
    """when that ended"""
    undone: bool
    """whether a rollback undid it: it may be the very one that was wrong"""
