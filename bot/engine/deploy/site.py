"""Where a service runs: its rules, and the hands that start its releases and share its traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import structlog

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.service import Environment, Service
from bot.domain.deploy.slots import Slot
from bot.engine.operations.contract import OperationRefused
from bot.tools.releases.contract import Releases
from bot.tools.releases.health import HealthRules
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.drivers import Divertible, TrafficConfiguration
from bot.tools.traffic.haproxy.log_stream import LogStream

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    """One service in one environment."""

    service: Service
    environment: Environment
    releases: Releases
    traffic: Divertible
    configuration: TrafficConfiguration
    """of the traffic: what a lease tells the watchdog"""
    log: LogStream | None = None
    """what the load balancer tells of single requests; listened to only while somebody judges by it"""
    patience: float = 30.0
    """seconds that a step waits for a load balancer which is away"""
    blind_patience: float = 60.0
    """seconds that a canary may go on while the load balancer can't be asked; then traffic goes back"""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to the load balancer's log meanwhile. Where it can't be listened to, durations are not
        known, and nothing passes by itself."""
        with ExitStack() as stack:
            if self.log is not None:
                try:
                    self.log.open()
                except TrafficFailed as failed:
                    log.warning("log_not_heard", service=self.service.name, detail=failed.detail)
                else:
                    stack.callback(self.log.close)
            yield

    def address(self, slot: Slot) -> Address:
        """Where a slot listens."""
        return Address.of(self.environment.addresses[slot])

    @property
    def health(self) -> HealthRules:
        """What a healthy answer of its releases is."""
        rules = self.environment.health
        return HealthRules(
            path=rules.path,
            statuses=rules.statuses,
            contains=rules.contains or "",
            timeout=rules.timeout.total_seconds(),
            within=rules.within.total_seconds(),
            in_a_row=rules.in_a_row,
            every=min(rules.every, rules.within / 10).total_seconds(),
        )


class Sites:
    """All services in all environments, made when somebody first asks for one: drivers open files and
    sockets."""

    def __init__(self, services: tuple[Service, ...], make: Callable[[Service, Environment], Site]) -> None:
        self._services = {service.name: service for service in services}
        self._make = make
        self._made: dict[tuple[str, str], Site] = {}

    @property
    def services(self) -> tuple[Service, ...]:
        """In the order of the configuration."""
        return tuple(self._services.values())

    def of(self, service: object, environment: object) -> Site:
        """The one of those names; without an environment the only one there is. Raises OperationRefused."""
        found = self._services.get(str(service))
        if found is None:
            raise OperationRefused("deploy_service", service=str(service)[:80], known=list(self._services))
        known = list(found.environments)
        name = known[0] if not environment and len(known) == 1 else str(environment or "")
        if name not in found.environments:
            raise OperationRefused(
                "deploy_environment", environment=name[:80], service=found.name, known=list(known)
            )
        key = (found.name, name)
        if key not in self._made:
            self._made[key] = self._make(found, found.environments[name])
        return self._made[key]
