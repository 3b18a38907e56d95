"""How deployments stand: what there is to choose from, what lives where, what became of the latest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from bot.domain.deploy.dora import dora, figures
from bot.domain.deploy.plan import SHIFT
from bot.domain.deploy.record import DeploymentRecord, Kind, Outcome, SlotRecord, live_of
from bot.domain.deploy.service import Service
from bot.domain.deploy.slots import Slot
from bot.domain.operations.record import OperationRecord, StepState
from bot.engine.clock import Clock
from bot.engine.deploy.book import DeployBook
from bot.engine.deploy.choices import RevisionChoice
from bot.engine.deploy.facts import Planner
from bot.engine.deploy.history import History
from bot.engine.deploy.site import Site, Sites
from bot.engine.operations.contract import OperationRefused
from bot.store.operations import OperationStore
from messages.deploy_facts import (
    DeploymentFacts,
    DeploymentsFacts,
    DoraFacts,
    DoraFigureFacts,
    DoraPlaceFacts,
    PlaceFacts,
    RunningDeploymentFacts,
)

_LATEST = 10
_AFTERWARDS = timedelta(days=90)
"""how long before a span deployments are read too: a rollback in it may undo one"""


class Overview:
    """Keeps the contract of `Deployments`."""

    def __init__(
        self,
        sites: Sites,
        planner: Planner,
        book: DeployBook,
        history: History,
        operations: OperationStore,
        clock: Clock,
        command: str,
    ) -> None:
        self._sites = sites
        self._planner = planner
        self._book = book
        self._history = history
        self._operations = operations
        self._clock = clock
        self._command = command

    def services(self) -> tuple[str, ...]:
        """As `DeployChoices` has it."""
        return tuple(service.name for service in self._sites.services)

    def environments(self, service: str) -> tuple[str, ...]:
        """As `DeployChoices` has it."""
        found = self._service(service)
        return () if found is None else tuple(found.environments)

    async def revisions(self, service: str, environment: str) -> tuple[RevisionChoice, ...]:
        """As `DeployChoices` has it: the tags of the repository."""
        found = self._service(service)
        if found is None:
            return ()
        tags = await self._history.tags(found)
        return tuple(RevisionChoice(tag.name, tag.subject, tag.at) for tag in tags)

    async def kept(self, service: str, environment: str) -> tuple[str, ...]:
        """As `DeployChoices` has it, without the one that carries production."""
        try:
            site = self._sites.of(service, environment)
        except OperationRefused:
            return ()
        known = await self._book.store.slots_of(service, environment)
        live = live_of(known)
        kept = await self._planner.kept(site)
        return tuple(each for each in kept if live is None or each != live.revision)

    async def status(self) -> DeploymentsFacts:
        """As `Deployments` has it."""
        running = await self._running()
        sites = [
            self._sites.of(service.name, name)
            for service in self._sites.services
            for name in service.environments
        ]
        places = await asyncio.gather(*(self._place(site, running) for site in sites))
        latest = await self._book.store.since(self._clock() - _AFTERWARDS)
        return DeploymentsFacts(tuple(places), tuple(_told(each) for each in latest[:_LATEST]), self._command)

    async def dora(self, days: int) -> DoraFacts:
        """As `Deployments` has it."""
        now = self._clock()
        start = now - timedelta(days=days)
        records = await self._book.store.since(start - _AFTERWARDS)
        places: list[DoraPlaceFacts] = []
        for service in self._sites.services:
            for name in service.environments:
                here = [each for each in records if (each.service, each.environment) == (service.name, name)]
                four = tuple(
                    DoraFigureFacts(
                        each.name, each.phrase, each.values, None if each.band is None else each.band.value
                    )
                    for each in figures(dora(here, start, now))
                )
                places.append(DoraPlaceFacts(service.name, name, four))
        return DoraFacts(days, tuple(places), self._command)

    def _service(self, name: str) -> Service | None:
        return next((each for each in self._sites.services if each.name == name), None)

    async def _running(self) -> dict[tuple[str, str], OperationRecord]:
        found = {each.operation_id for each in await self._book.store.running()}
        return {
            (str(record.plan.shown["service"]), str(record.plan.shown["environment"])): record
            for record in await self._operations.open()
            if record.id in found
        }

    async def _place(self, site: Site, running: dict[tuple[str, str], OperationRecord]) -> PlaceFacts:
        service, environment = site.service.name, site.environment.name
        known = await self._book.store.slots_of(service, environment)
        kept = tuple(await self._planner.kept(site))
        under_way = running.get((service, environment))
        run = None if under_way is None else _run(under_way)
        try:
            standing = await self._planner.standing(site, mixed=True)
        except OperationRefused as refused:
            live = live_of(known)
            return PlaceFacts(
                service,
                environment,
                None if live is None else live.revision,
                None if live is None else live.slot.value,
                _since(known, None if live is None else live.slot),
                kept=kept,
                running=run,
                problem=refused.reason,
                detail=str(refused.values.get("detail", "")),
            )
        blue, other = standing.blue, standing.other
        revision = None if blue is None else await self._planner.revision_of(site, blue)
        beside = None
        if other is not None and other.alive and run is None:
            beside = await self._planner.revision_of(site, other)
        return PlaceFacts(
            service,
            environment,
            revision,
            standing.live.value,
            _since(known, standing.live),
            blue=beside,
            kept=tuple(each for each in kept if each != revision),
            running=run,
        )


def _since(known: Mapping[Slot, SlotRecord], slot: Slot | None) -> str | None:
    record = None if slot is None else known.get(slot)
    return None if record is None or record.live_since is None else record.live_since.isoformat()


def _run(record: OperationRecord) -> RunningDeploymentFacts:
    plan, percent = record.plan, None
    for number, step in enumerate(plan.steps):
        done = record.step(number)
        if step.name == SHIFT and done is not None and done.state in (StepState.DOING, StepState.DONE):
            share = step.params["percent"]
            percent = share if isinstance(share, int) else percent
    revision = plan.shown["revision" if "revision" in plan.shown else "target"]
    return RunningDeploymentFacts(record.id, plan.operation, str(revision), percent)


def _told(record: DeploymentRecord) -> DeploymentFacts:
    harmless = record.outcome is Outcome.FAILED and record.traffic_at is None and record.kind is Kind.DEPLOY
    return DeploymentFacts(
        operation=record.operation_id,
        kind="deploy" if record.kind is Kind.DEPLOY else "rollback",
        service=record.service,
        environment=record.environment,
        revision=record.revision,
        previous=record.previous,
        outcome="before_traffic" if harmless else record.outcome.value,
        at=record.started_at.isoformat(),
        by=record.asked_by,
    )
