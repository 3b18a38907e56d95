"""Gathering what a plan is made of. Nothing is changed by it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from bot.domain.deploy.afterwards import lockable
from bot.domain.deploy.checks import LeftOut
from bot.domain.deploy.plan import Checked, DeployFacts, green_of, place_of
from bot.domain.deploy.preflight import Verdict
from bot.domain.deploy.record import SlotRecord, live_of
from bot.domain.deploy.revisions import valid_revision
from bot.domain.deploy.risk import RiskFacts, RiskRules, risk_of
from bot.domain.deploy.rollback import RollbackFacts
from bot.domain.deploy.slots import Slot, share_of
from bot.domain.levels import Level
from bot.domain.operations.locks import Lock
from bot.domain.operations.plan import JsonObject
from bot.domain.operations.record import OperationRecord
from bot.engine.deploy.back import share_told
from bot.engine.deploy.book import DeployBook
from bot.engine.deploy.checked import CheckedOnce
from bot.engine.deploy.history import History, Notes
from bot.engine.deploy.inspection import Inspection, failed_of, told_of
from bot.engine.deploy.site import Site, Sites
from bot.engine.operations.contract import OperationRefused
from bot.tools.releases.contract import Instance, ReleaseFailed
from bot.tools.traffic.contract import TrafficFailed

_LOOKED_BACK = 20
TELLS_WITHIN = 3.0
"""seconds that a way back waits for a driver to tell what runs somewhere"""


BackedUp = Callable[[Sequence[str]], Awaitable[Mapping[str, datetime] | OperationRefused]]
"""For each path when the verified backup was taken that has it, or why work on them must not begin."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around a deployment."""

    freeze_at: datetime | None
    availability: float | None
    alerts: int
    worst: Level | None


class Standing(NamedTuple):
    """How a site stands: which slot carries everything, and what lives in both."""

    live: Slot
    blue: Instance | None
    other: Instance | None
    shared: bool = False
    """whether the other one carries something too"""


class Planner:
    """Finds out everything that plans need. Raises OperationRefused, StoreUnavailable."""

    def __init__(
        self,
        sites: Sites,
        inspection: Inspection,
        history: History,
        book: DeployBook,
        risks: RiskRules,
        around: Callable[[str, str], Awaitable[Surroundings]],
        backed_up: BackedUp,
        running: Callable[[str, str], Awaitable[OperationRecord | None]],
        held: Callable[[], Awaitable[Sequence[Lock]]],
    ) -> None:
        """`around`: of a service in an environment. `backed_up`: why work on those paths must not begin for
        want of a verified backup. `running`: the deployment that is under way there. `held`: all
        locks that hold."""
        self._sites = sites
        self._history = history
        self._book = book
        self._risks = risks
        self._around = around
        self._backed_up = backed_up
        self._running = running
        self._held = held
        self._checked = CheckedOnce(inspection)

    async def deploy(self, request: JsonObject, at: datetime) -> DeployFacts:
        """The facts for a deployment."""
        site = self._sites.of(request.get("service"), request.get("environment"))
        service, environment = site.service, site.environment
        under_way = await self._running(service.name, environment.name)
        if under_way is not None:
            raise await _under_way(site, under_way)
        revision = str(request.get("revision") or "")
        if not valid_revision(revision):
            raise OperationRefused("deploy_revision_odd", revision=revision[:80])
        commit = await self._history.resolve(service, revision)
        await self._must_be_known(site, revision)
        standing = await self.standing(site)
        current = await self._current(site, standing)
        has_blue = standing.blue is not None and standing.blue.alive
        if has_blue and current == revision:
            raise OperationRefused("deploy_same", revision=revision)
        refused = await self.without_backup(site)
        if refused is not None:
            raise refused
        notes = await self._history.notes(service, current, revision)
        found = await self._checked.of(site, revision, commit)
        bad = failed_of(found)
        if bad:
            raise OperationRefused("deploy_preflight", revision=revision, checks=told_of(bad))
        facts = await self._risk_facts(site, notes, has_blue, current == revision, at)
        return DeployFacts(
            service=service,
            environment=environment,
            revision=revision,
            commit=commit,
            current=current,
            green=standing.live.other,
            has_blue=has_blue,
            checks=tuple(
                Checked(
                    each.result.name.value,
                    each.result.verdict.value,
                    str(each.result.values.get("why", "")) if each.result.verdict is Verdict.LEFT_OUT else "",
                )
                for each in found
            ),
            risk=risk_of(self._risks, facts, at),
            notes={} if notes is None else notes.as_json(),
            lock=await self._lock(service.name, environment.name),
        )

    async def rollback(self, request: JsonObject, at: datetime) -> RollbackFacts:
        """The facts for a rollback: to the release that was live before, or to one that is named."""
        site = self._sites.of(request.get("service"), request.get("environment"))
        service, environment = site.service.name, site.environment.name
        under_way = await self._running(service, environment)
        if under_way is not None:
            raise OperationRefused("deploy_running", id=under_way.id, hash=under_way.plan_hash)
        standing = await self._to_leave(site)
        current = await self._current(site, standing)
        known = [each for each in await self.kept(site) if each != current]
        target = str(request.get("release") or "") or (known[0] if known else "")
        if not target:
            raise OperationRefused("deploy_no_release", known=[])
        if not valid_revision(target):
            raise OperationRefused("deploy_revision_odd", revision=target[:80])
        if target == current:
            raise OperationRefused("deploy_same", revision=target)
        if target not in known:
            raise OperationRefused("deploy_not_kept", revision=target, known=list(known))
        other = standing.other
        running = other is not None and other.alive and await self.revision_of(site, other) == target
        if not running:
            await self._must_be_known(site, target)
        lock = await self._lock(service, environment)
        return RollbackFacts(service, site.environment, target, standing.live.other, running, current, lock)

    async def kept(self, site: Site) -> list[str]:
        """The releases that can be gone back to, the one that carries production among them: newest first,
        and last what a rollback undid, which may be the very one that was wrong."""
        service, environment = site.service.name, site.environment.name
        found = await self._book.store.of_environment(service, environment, _LOOKED_BACK)
        kept = await self._book.store.kept(service, environment, site.environment.keep)
        undone = [each.revision for each in kept if each.undone]
        # What was there before the first deployment has no row of its own.
        befores = [each.previous for each in found if each.previous and each.previous not in undone]
        names = [*(each.revision for each in kept if not each.undone), *befores, *undone]
        return list(dict.fromkeys(names))[: site.environment.keep + 1]

    async def standing(self, site: Site, *, mixed: bool = False) -> Standing:
        """Which slot carries everything, and what lives in both. `mixed`: the one that carries more is taken
        for it where both carry something."""
        try:
            b = await site.traffic.share()
        except TrafficFailed as failed:
            raise OperationRefused(failed.reason, detail=failed.detail) from None
        live, shared = _most(b), b not in (0, 100)
        if shared and not mixed:
            raise OperationRefused("traffic_mixed", share=b)
        try:
            blue, other = await site.releases.find(live), await site.releases.find(live.other)
        except ReleaseFailed as failed:
            raise OperationRefused(failed.reason, detail=failed.detail) from None
        return Standing(live, blue, other, shared)

    async def _to_leave(self, site: Site) -> Standing:
        """How it stands for a way back. Where both slots carry something a canary was left lying, and that is
        what has to be left, also where it carries less than what carried everything before it. Where nobody
        can tell what carries anything, or soon what runs, the book does: a canary that runs may carry
        something, and before traffic moves it is looked whether the target is well."""
        b = await share_told(site)
        slots = await self._book.store.slots_of(site.service.name, site.environment.name)
        known = live_of(slots)
        home = None if known is None else known.slot
        if home is None and slots:  # what was there before the first deployment is in no slot of the book
            home = max(slots.values(), key=lambda each: each.placed_at).slot.other
        lives = dict(
            zip(Slot, await asyncio.gather(*(_lives(site, slot, slots) for slot in Slot)), strict=True)
        )
        if b is not None:
            live = _most(b)
            standing = Standing(live, lives[live], lives[live.other], b not in (0, 100))
            lying = standing.shared
        else:
            live = home or Slot.A
            standing = Standing(live, lives[live], lives[live.other])
            runs = standing.other is not None and standing.other.alive
            lying = runs and _is_later(slots, standing.live.other)
        if not lying or home is not standing.live:
            return standing
        return Standing(home.other, standing.other, standing.blue, shared=True)

    async def lockable(self, site: Site, run: int) -> str:
        """What will be locked once a rollback of that run is over."""
        place = place_of(site.service.name, site.environment.name)
        return lockable(site.environment.name, place, await self._held(), run)

    async def _lock(self, service: str, environment: str) -> Lock | None:
        """The one that a person, or the Guardian after a rollback, has put on the environment or on the
        service in it."""
        subjects = (environment, place_of(service, environment))
        held = await self._held()
        return next((each for each in held if each.run is None and each.subject in subjects), None)

    async def without_backup(self, site: Site) -> OperationRefused | None:
        """Why it must not begin for want of a verified backup."""
        data = site.environment.data
        found = await self._backed_up(data) if data else None
        return found if isinstance(found, OperationRefused) else None

    async def _must_be_known(self, site: Site, revision: str) -> None:
        try:
            known = await site.releases.known(revision)
        except ReleaseFailed as failed:
            raise OperationRefused(failed.reason, detail=failed.detail) from None
        if not known:
            tags = await self._history.tags(site.service)
            names: list[JsonValue] = [tag.name for tag in tags[:10]]
            raise OperationRefused("deploy_revision_unknown", revision=revision, known=names)

    async def revision_of(self, site: Site, instance: Instance) -> str | None:
        """What runs there: by the driver, or, where that cannot tell, by our own book."""
        if instance.revision:
            return instance.revision
        slots = await self._book.store.slots_of(site.service.name, site.environment.name)
        return slots[instance.slot].revision if instance.slot in slots else None

    async def _current(self, site: Site, standing: Standing) -> str | None:
        """The revision that carries production: by our own book where its driver finds nothing in its slot,
        for one that has crashed is what one goes back from."""
        if standing.blue is not None:
            return await self.revision_of(site, standing.blue)
        slots = await self._book.store.slots_of(site.service.name, site.environment.name)
        known = slots.get(standing.live)
        return None if known is None or (known.live_since is None and not standing.shared) else known.revision

    async def _risk_facts(
        self, site: Site, notes: Notes | None, has_blue: bool, same: bool, at: datetime
    ) -> RiskFacts:
        service, environment = site.service, site.environment
        around = await self._around(service.name, environment.name)
        before = await self._book.store.of_environment(service.name, environment.name, _LOOKED_BACK)
        midnight = at.astimezone(self._risks.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        rules = [*service.preflight.values(), *service.verification.values()]
        return RiskFacts(
            expected=environment.dwell * len(environment.stages) + environment.warm,
            freeze_at=around.freeze_at,
            availability=around.availability,
            alerts=around.alerts,
            worst=around.worst,
            size=None if notes is None else notes.size,
            has_blue=has_blue,
            left_out=sum(1 for rule in rules if isinstance(rule, LeftOut)),
            same=same,
            backwards=notes is not None and notes.backwards,
            today=sum(1 for each in before if each.started_at >= midnight),
            last_went_back=bool(before) and before[0].outcome.value == "rolled_back",
        )


async def _lives(site: Site, slot: Slot, slots: Mapping[Slot, SlotRecord]) -> Instance | None:
    """What runs in a slot; where its driver cannot tell soon, what the book has there."""
    with suppress(ReleaseFailed, TimeoutError):
        async with asyncio.timeout(TELLS_WITHIN):
            return await site.releases.find(slot)
    known = slots.get(slot)
    return None if known is None else Instance(slot, known.revision, known.marker, None)


def _most(b: int) -> Slot:
    """The slot that carries more."""
    return Slot.B if b > 50 else Slot.A


def _is_later(slots: Mapping[Slot, SlotRecord], slot: Slot) -> bool:
    """Whether what is in that slot came there after the other one had come to carry everything."""
    its, beside = slots.get(slot), slots.get(slot.other)
    if its is None or beside is None:
        return its is not None
    return its.placed_at > (beside.live_since or beside.placed_at)


async def _under_way(site: Site, record: OperationRecord) -> OperationRefused:
    """That a deployment is under way there, and how much its release carries, where that can be told."""
    try:
        percent = share_of(green_of(record.plan), await site.traffic.share())
    except TrafficFailed:
        percent = None
    revision = str(record.plan.shown["revision"])
    return OperationRefused("deploy_under_way", id=record.id, revision=revision, percent=percent)
