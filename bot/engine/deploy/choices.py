"""What can be deployed and gone back to, and how deployments stand: asked by forms, commands and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from messages.deploy_facts import DeploymentsFacts, DoraFacts


@dataclass(frozen=True, slots=True)
class RevisionChoice:
    """A revision that may be deployed."""

    revision: str
    subject: str = ""
    """the first line of its commit; empty where that is not known"""
    at: datetime | None = None


class DeployChoices(Protocol):
    """What a form offers."""

    def services(self) -> tuple[str, ...]:
        """In the order of the configuration."""
        ...

    def environments(self, service: str) -> tuple[str, ...]:
        """Those of that service, in the order of the configuration; none of one that is not known."""
        ...

    async def revisions(self, service: str, environment: str) -> tuple[RevisionChoice, ...]:
        """Revisions that are known, the newest first; none where only people know them. Raises nothing for a
        repository that cannot be read."""
        ...

    async def kept(self, service: str, environment: str) -> tuple[str, ...]:
        """Releases that can be gone back to, the newest first. Raises StoreUnavailable."""
        ...


class Deployments(DeployChoices, Protocol):
    """Everything that can be asked about deployments."""

    async def status(self) -> DeploymentsFacts:
        """How every service stands in every environment, and the latest deployments. Raises
        StoreUnavailable."""
        ...

    async def dora(self, days: int) -> DoraFacts:
        """The four figures over the last days. Raises StoreUnavailable."""
        ...
