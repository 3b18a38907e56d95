"""What can be deployed, and how: services and the environments that they run in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.deploy.checks import CheckRules, TrialRules
from bot.domain.deploy.slots import Slot


@dataclass(frozen=True, slots=True)
class HealthRules:
    """When a release that was started counts as healthy."""

    path: str
    statuses: tuple[int, int]
    """the lowest and the highest that are right"""
    contains: str | None
    """what the answer must have: an error page may come with 200"""
    timeout: timedelta
    """of one request"""
    within: timedelta
    """after its start"""
    in_a_row: int
    """good answers"""
    every: timedelta = timedelta(seconds=0.5)
    """from one question to the next; at most a tenth of `within`"""


@dataclass(frozen=True, slots=True)
class Limits:
    """The document's thresholds of a stage."""

    error_rate: float
    """percent of requests; below is fine"""
    response_ms: float
    """95 % of requests; below is fine"""
    cpu: float
    """percent of what it may use; below is fine"""
    memory: float
    """percent of what it may use; below is fine"""


@dataclass(frozen=True, slots=True)
class ProbeRules:
    """Requests of our own at Green, for when there is too little traffic to judge by."""

    paths: tuple[str, ...]
    per_second: float
    early: bool = True
    """from a stage's extension on, and not only after it"""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a service runs, and the rules of its deployments. Its drivers are made elsewhere."""

    name: str
    addresses: Mapping[Slot, str]
    """`host:port` of each slot; the load balancer knows the same"""
    health: HealthRules
    stages: tuple[int, ...]
    """percent of traffic, rising, 100 last"""
    dwell: timedelta
    """the least time at each stage"""
    warm: timedelta
    """how long Blue is kept running beside a release that carries everything"""
    limits: Limits
    probes: ProbeRules
    ask_for: timedelta
    """how long a person is waited for before it goes back"""
    lease: timedelta
    """a canary whose Guardian is silent for this long is taken back by the watchdog"""
    drain: timedelta
    """how long requests under way may take after traffic was taken away"""
    lock_after_rollback: timedelta
    keep: int
    """how many releases can be gone back to"""
    second_person: bool
    data: tuple[str, ...]
    """paths that must have a verified backup before anything runs"""
    no_data: str
    """the written reason why there are none"""
    no_usage: str = ""
    """the written reason why CPU and memory are not looked at; empty where they are"""


@dataclass(frozen=True, slots=True)
class Service:
    """Something that is deployed."""

    name: str
    repository: str | None
    """path of a local Git repository: for release notes, lead times, and the commits that checks look at"""
    preflight: CheckRules
    verification: TrialRules
    environments: Mapping[str, Environment]
