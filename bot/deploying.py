"""From settings to deployments: the operations, who locks what, and what becomes of a run that is over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.alerting import Alerting, Ground
from bot.config.deploy import services_of
from bot.domain.alerts.failed_runs import is_about_deployments
from bot.domain.alerts.model import Alert
from bot.domain.deploy.afterwards import locks_after
from bot.domain.deploy.plan import DEPLOY, place_of
from bot.domain.deploy.rollback import ROLLBACK
from bot.domain.deploy.service import Environment
from bot.domain.levels import Level
from bot.domain.operations.approval import UNDER_WAY, Needs
from bot.domain.operations.freeze import next_freeze
from bot.domain.operations.locks import Lock
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Role
from bot.engine.operations.contract import Operation
from bot.engine.operations.lazily import Lazily
from bot.engine.operations.locks import LockBook
from bot.store.errors import StoreUnavailable
from bot.store.operations import OperationStore

if TYPE_CHECKING:
    from bot.deploy_parts import DeployParts
    from bot.engine.deploy.choices import Deployments
    from bot.engine.deploy.facts import BackedUp, Surroundings

_BUDGET_SPAN = timedelta(days=30)
_READINGS = 500
_AHEAD = timedelta(days=1)
"""how far freezes to come are looked for"""


class Deploying:
    """Deployments of the configuration; without services there are none."""

    def __init__(
        self,
        ground: Ground,
        alerting: Alerting,
        locks: LockBook,
        backed_up: BackedUp,
        command: str,
    ) -> None:
        self._ground = ground
        self._alerting = alerting
        self._locks = locks
        self._backed_up = backed_up
        self._command = command
        self._operations = OperationStore(ground.database)
        self.services = services_of(ground.settings.deploy)
        self._made: DeployParts | None = None
        self._clearing: asyncio.Task[None] | None = None

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name; none where nothing is deployed."""
        if not self.services:
            return {}
        return {
            DEPLOY: Lazily(DEPLOY, lambda: self.parts().deploy),
            ROLLBACK: Lazily(ROLLBACK, lambda: self.parts().rollback),
        }

    def clear(self) -> None:
        """Begin to remove what checks of a Guardian that was killed have left. Nobody waits for it: it can be
        much, and nothing depends on it."""
        if self.services:
            self._clearing = asyncio.create_task(self.parts().checkouts.clear())

    def parts(self) -> DeployParts:
        """Everything that deployments work with, made when it is first asked for."""
        if self._made is None:
            from bot.deploy_parts import DeployParts

            self._made = DeployParts(
                self._ground,
                self.services,
                self._alerting.insight.recording_change,
                self._surroundings,
                self._backed_up,
                self._running,
                self._locks.held,
                self._command,
            )
        return self._made

    def choices(self) -> Deployments | None:
        """What commands and forms ask; None where nothing is deployed."""
        return self.parts().overview if self.services else None

    def environment(self, service: object, environment: object) -> Environment | None:
        """The rules of a service in an environment; None where the configuration has none of these names."""
        found = next((each for each in self.services if each.name == service), None)
        return None if found is None else found.environments.get(str(environment))

    def subjects(self) -> tuple[str, ...]:
        """What can be locked: environments, and services in them."""
        names = [
            name
            for service in self.services
            for environment in service.environments
            for name in (environment, place_of(service.name, environment))
        ]
        return tuple(dict.fromkeys(names))

    def needs(self, operation: str, subject: str, needs: Needs) -> Needs:
        """What such an operation asks of people, beside what is asked of any: a second person where an
        environment wants one, and of a rollback nothing but the word of whoever asks."""
        if operation not in (DEPLOY, ROLLBACK):
            return needs
        wanted = operation == DEPLOY and any(
            service.environments[subject].second_person
            for service in self.services
            if subject in service.environments
        )
        return Needs(
            ask=needs.ask,
            approve=needs.approve,
            # Half-way back is worse than either end.
            stop=Role.OPERATOR if operation == DEPLOY else None,
            second_person=needs.second_person or wanted,
            lives=needs.lives,
        )

    def locks_after(self, over: OperationRecord) -> tuple[Lock, ...]:
        """After traffic went back nothing is deployed there for a while: somebody looks first."""
        plan = over.plan
        rules = self.environment(plan.shown.get("service"), plan.shown.get("environment"))
        if rules is None:
            return ()
        reason = self._ground.voice.phrase("deploy.lock_reason", run=over.id)
        return locks_after(over, rules, self._ground.clock(), reason)

    async def ended(self, over: OperationRecord) -> None:
        """A run is over. Raises StoreUnavailable."""
        if self.services and over.plan.operation in (DEPLOY, ROLLBACK):
            await self.parts().book.ended(over)

    async def _running(self, service: str, environment: str) -> OperationRecord | None:
        """The deployment that is under way there: a rollback stops it, another deployment has to wait."""
        for record in await self._operations.open():
            shown = record.plan.shown
            here = shown.get("service") == service and shown.get("environment") == environment
            if record.plan.operation == DEPLOY and record.state in UNDER_WAY and here:
                return record
        return None

    async def _surroundings(self, service: str, environment: str) -> Surroundings:
        from bot.engine.deploy.facts import Surroundings

        now = self._ground.clock()
        freezes = await self._locks.all_freezes()
        freeze = next_freeze(freezes, DEPLOY, environment, now, now + _AHEAD)
        where = self._alerting.whereabouts
        here = [
            alert
            for alert in self._alerting.desk.each_open()
            if where.meets(alert, service, environment) and not _went_back(alert, service, environment)
        ]
        return Surroundings(
            freeze_at=None if freeze is None else freeze[1],
            availability=await self._availability(service, now),
            alerts=len(here),
            worst=max((alert.level for alert in here), default=None),
        )

    async def _availability(self, service: str, now: datetime) -> float | None:
        """Percent over a month, as measured at the targets of the service of that name; None of no
        readings."""
        known = self._ground.settings.services.get(service)
        values: list[float] = []
        for target in () if known is None else known.targets:
            try:
                found = await self._alerting.insight.series("uptime", target, now - _BUDGET_SPAN, _READINGS)
            except StoreUnavailable:
                return None
            values += [value for _, value in found if value is not None]
        return sum(values) / len(values) if values else None


def _went_back(alert: Alert, service: str, environment: str) -> bool:
    """Whether it is the alert about a deployment there that went back, which is a risk by itself. One that
    could not be undone is critical, and counts as any other alert."""
    return (
        is_about_deployments(alert)
        and alert.level < Level.CRITICAL
        and alert.subject.target == place_of(service, environment)
    )
