"""Jobs that must report: when one is late. Pure: the deadline of each is a row in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.levels import Level


class Beat(StrEnum):
    """What a job may say."""

    OK = "ok"
    FAIL = "fail"
    START = "start"


class JobState(StrEnum):
    """How a job stands."""

    NEW = "new"
    """it has never reported and is not late yet"""
    FINE = "fine"
    RUNNING = "running"
    LATE = "late"
    FAILED = "failed"

    @property
    def is_bad(self) -> bool:
        """Whether people should know."""
        return self in (JobState.LATE, JobState.FAILED)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the configuration has it: it reports `every` so often, and may be late by `grace`."""

    name: str
    every: timedelta
    grace: timedelta
    level: Level = Level.ERROR
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What is known of a job. `told` is the bad state that the desk has been told of, None while there is
    none: it outlives a restart."""

    name: str
    since: datetime
    """when it was first configured: a job that never reports is late from there"""
    due_at: datetime
    """after this moment it is late"""
    last_at: datetime | None = None
    last: Beat | None = None
    """OK or FAIL"""
    started_at: datetime | None = None
    """the begin of a run that has not ended: the first one, whatever began after it"""
    said: str = ""
    """what it said when it failed"""
    told: JobState | None = None


def first(job: Job, now: datetime) -> Heartbeat:
    """What is known of a job that has just been configured."""
    return _with_deadline(job, Heartbeat(job.name, now, now))


def reconfigured(job: Job, known: Heartbeat) -> Heartbeat:
    """The same with the deadline that the configuration sets now."""
    return _with_deadline(job, known)


def heard(job: Job, known: Heartbeat, beat: Beat, now: datetime, said: str = "") -> Heartbeat:
    """What is known after the job has said `beat`."""
    if beat is Beat.START:
        begun = known.started_at or now
        return _with_deadline(job, replace(known, started_at=begun))
    return _with_deadline(job, replace(known, last_at=now, last=beat, started_at=None, said=said))


def state_of(known: Heartbeat, now: datetime) -> JobState:
    """How the job stands. A failure counts until it says that it went well; being late comes before it."""
    if now > known.due_at:
        return JobState.LATE
    if known.last is Beat.FAIL:
        return JobState.FAILED
    if known.started_at is not None:
        return JobState.RUNNING
    return JobState.NEW if known.last_at is None else JobState.FINE


def _with_deadline(job: Job, known: Heartbeat) -> Heartbeat:
    """A run that has begun must end within the grace: a job that hangs is late before the next one is due."""
    due = (known.last_at or known.since) + job.every + job.grace
    if known.started_at is not None:
        due = min(due, known.started_at + job.grace)
    return replace(known, due_at=due)
