"""What messages about deployments need to know, beside their operations' cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from messages.facts import Facts


@dataclass(frozen=True, slots=True)
class RunningDeploymentFacts(Facts):
    """A deployment or a rollback that is under way."""

    operation: int
    kind: str
    """deploy or rollback"""
    revision: str
    percent: int | None
    """of traffic that the revision carries; None before it carries any"""


@dataclass(frozen=True, slots=True)
class PlaceFacts(Facts):
    """A service in an environment, as it is now."""

    service: str
    environment: str
    revision: str | None
    """that carries production; None when none does, or nobody knows"""
    slot: str | None
    since: str | None
    """since when it carries production alone; None when that is not on record"""
    blue: str | None = None
    """the revision that is kept running beside it, to go back to at once"""
    kept: tuple[str, ...] = ()
    """releases that can be gone back to, the newest first"""
    running: RunningDeploymentFacts | None = None
    problem: str | None = None
    """why it could not be looked at: the phrase `deploy.failed.PROBLEM` with `detail`"""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentFacts(Facts):
    """A deployment or a rollback, as it is on record."""

    operation: int
    kind: str
    """deploy or rollback"""
    service: str
    environment: str
    revision: str
    previous: str | None
    outcome: str
    """the phrase `deploy.outcome.OUTCOME`"""
    at: str
    """when it began"""
    by: str


@dataclass(frozen=True, slots=True)
class DeploymentsFacts(Facts):
    """The answer to `deployments`."""

    places: tuple[PlaceFacts, ...]
    latest: tuple[DeploymentFacts, ...]
    """the newest first"""
    command: str


@dataclass(frozen=True, slots=True)
class DoraFigureFacts(Facts):
    """One of the four: `deploy.dora.name.NAME` and the phrase `deploy.dora.PHRASE` with `values`."""

    name: str
    phrase: str
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    band: str | None = None


@dataclass(frozen=True, slots=True)
class DoraPlaceFacts(Facts):
    """The four of a service in an environment."""

    service: str
    environment: str
    figures: tuple[DoraFigureFacts, ...]


@dataclass(frozen=True, slots=True)
class DoraFacts(Facts):
    """The answer to `dora`."""

    days: int
    places: tuple[DoraPlaceFacts, ...]
    command: str


@dataclass(frozen=True, slots=True)
class DeployChoiceFacts(Facts):
    """Something to choose in a form."""

    value: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class DeployFormFacts(Facts):
    """The form for a deployment or a rollback. `service` and `environment` are chosen already."""

    services: tuple[str, ...]
    service: str
    environments: tuple[str, ...]
    environment: str
    choices: tuple[DeployChoiceFacts, ...]
    """revisions, or kept releases; none where they have to be typed"""


@dataclass(frozen=True, slots=True)
class DeployUsageFacts(Facts):
    """How a deployment or a rollback is asked for, where there can be no form."""

    operation: str
    command: str
    services: tuple[str, ...]
