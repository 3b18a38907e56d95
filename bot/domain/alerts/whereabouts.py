"""To which environment's deployments an alert belongs.

What the Guardian measures itself, and what others report without an environment, carries the Guardian's own
one (`environment`): a word of its own, which deployments need not use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.domain.alerts.model import Alert
from bot.domain.labels import NO_SERVICES, Services


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """An alert that names an environment belongs to that one's deployments. So does one of a service whose
    environment the configuration says, and the Guardian's own environment names the one of that name.

    Where nothing at all is deployed to an environment of that name, the word cannot be meant as deployments
    mean it: such alerts belong to a service's deployments if that service is deployed in one environment.
    Where it is deployed in several, nobody knows."""

    own: str = ""
    """the Guardian's environment"""
    deployed: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """the environments of each service that is deployed"""
    services: Services = NO_SERVICES

    def meets(self, alert: Alert, service: str, environment: str) -> bool:
        """Whether the alert belongs to the deployments of that service to that environment."""
        named = self._named_by(alert)
        if named:
            return environment == named
        return environment == (self._taken_for(service) or self.own)

    def taken(self) -> Iterator[tuple[str, str]]:
        """Services, and the environment that the Guardian's own alerts are taken to be about, under another
        name."""
        for service in self.deployed:
            if environment := self._taken_for(service):
                yield service, environment

    def unmet(self) -> Iterator[str]:
        """Services to whose deployments none of the Guardian's own alerts belongs."""
        said = {self.own, *(each.environment for each in self.services.all)}
        for service, environments in self.deployed.items():
            if said.isdisjoint(environments) and not self._taken_for(service):
                yield service

    def _named_by(self, alert: Alert) -> str:
        """Empty if it carries the Guardian's own environment, and no more is known."""
        environment = alert.subject.environment
        if environment != self.own:
            return environment
        service = self.services.named(alert.labels.get("service", ""))
        return "" if service is None else service.environment

    def _taken_for(self, service: str) -> str:
        """The only environment of a service, where nothing is deployed to the Guardian's own; or empty."""
        environments = self.deployed.get(service, ())
        if len(environments) != 1 or any(self.own in each for each in self.deployed.values()):
            return ""
        return environments[0]


BY_NAME = Whereabouts()
"""Nothing is known of what is deployed: names that are the same are the same."""
