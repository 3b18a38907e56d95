"""What messages about jobs, about the Guardian's own troubles and about its second way out need to know; the
same rules as in `messages.facts`."""

from __future__ import annotations

from dataclasses import dataclass

from messages.facts import Facts


@dataclass(frozen=True, slots=True)
class HeartbeatFacts(Facts):
    """One job that must report."""

    name: str
    state: str
    """new, fine, running, late or failed"""
    level: str
    """of the alert when it is late"""
    every_seconds: float
    grace_seconds: float
    last_at: str | None
    """its last report, good or bad; None when it has never reported"""
    due_at: str
    """after this it is late"""
    started_at: str | None
    """the begin of a run that has not ended"""


@dataclass(frozen=True, slots=True)
class HeartbeatListFacts(Facts):
    """All jobs: the answer to `heartbeats`, bad ones first."""

    heartbeats: tuple[HeartbeatFacts, ...]


@dataclass(frozen=True, slots=True)
class SelfCheckFacts(Facts):
    """Something is wrong with the Guardian itself: `self_check`; and it is over: `self_check_over`."""

    host: str
    problem: str
    """ladder_late, letters_stuck or loop_lag"""
    seconds: float
    """how late, at the moment it was found; the worst there was, when it is over"""
    since: str
    at: str


@dataclass(frozen=True, slots=True)
class WatchdogFacts(Facts):
    """The outside watchdog can't be reached: `watchdog_failing`; and it can again: `watchdog_back`."""

    host: str
    problem: str
    """timeout, connection, or the status of the answer"""
    since: str
    at: str


@dataclass(frozen=True, slots=True)
class SecondWayFacts(Facts):
    """What Slack had not taken went out another way: `second_way`."""

    headline: str
    letters: int
    targets: tuple[str, ...]
    """names of those that took it"""
    failed: tuple[str, ...]
    """names of those that did not, and are tried again"""
    waited_seconds: float
    """how long Slack had not taken the oldest"""
    at: str


@dataclass(frozen=True, slots=True)
class DoorClosedFacts(Facts):
    """The door for webhooks and heartbeats could not be opened."""

    address: str
