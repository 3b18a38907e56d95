"""A rollback to a kept release: five steps, each done whatever became of the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog
from pydantic import JsonValue

from bot.domain.deploy.rollback import (
    DRAIN,
    JOURNAL,
    RECOVER,
    ROLLBACK,
    START,
    STILL,
    TRAFFIC,
    rollback_plan,
)
from bot.domain.deploy.slots import Slot, share_of
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.engine.clock import Clock
from bot.engine.deploy.back import answers, divert, drain, is_deserted, patiently, see_still, share_told
from bot.engine.deploy.book import DeployBook
from bot.engine.deploy.facts import TELLS_WITHIN, Planner
from bot.engine.deploy.failures import as_failures, unhealthy
from bot.engine.deploy.site import Site, Sites
from bot.engine.deploy.undoing import lock_told, marker_of
from bot.engine.operations.contract import StepFailed, Work
from bot.tools.releases.contract import ReleaseFailed
from bot.tools.releases.health import check, session_of, wait_until_healthy

log = structlog.get_logger(__name__)

_Doing = Callable[[Site, Plan, Step, Work], Awaitable[JsonObject]]


class Rollback:
    """Keeps the contract of `Operation`. Nothing of it is undone."""

    name = ROLLBACK

    def __init__(self, sites: Sites, planner: Planner, book: DeployBook, clock: Clock) -> None:
        self._sites = sites
        self._planner = planner
        self._book = book
        self._clock = clock
        self._doing: Mapping[str, _Doing] = {
            JOURNAL: self._journal,
            START: self._start,
            TRAFFIC: self._traffic,
            STILL: self._still,
            DRAIN: self._drain,
            RECOVER: self._recover,
        }

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        """As `Operation` has it."""
        return rollback_plan(await self._planner.rollback(request, at), at)

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """As `Operation` has it. Somebody who presses 중단 in the middle changes nothing: to stop half-way is
        worse than either end."""
        site = self._sites.of(plan.shown["service"], plan.shown["environment"])
        return await self._doing[step.name](site, plan, step, work)

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """As `Operation` has it: there is nothing to undo."""
        return {}

    async def _journal(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        """What is meant, written down before anything acts."""
        await self._book.begin(work.run_id, plan, self._clock())
        return {}

    async def _start(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        slot, revision = Slot(str(step.params["slot"])), str(step.params["revision"])
        b = await share_told(site)
        if b is not None and share_of(slot, b) != 0:  # where nobody can tell, the plan is by our own book
            raise StepFailed("slot_carries", slot=slot.value)
        with as_failures():
            instance = await site.releases.start(slot, revision, marker_of(work))
        await self._book.placed(plan, marker_of(work), self._clock())
        health = await wait_until_healthy(
            site.address(slot), site.health, lambda: site.releases.find(slot), restarts=instance.restarts
        )
        if not health.healthy:
            raise unhealthy("target_unhealthy", health)
        return {"seconds": round(health.seconds, 1)}

    async def _traffic(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Traffic over to it, unless that would be worse than before: it is not well, or another release is
        there in its place, while the other slot is well; or nobody is there at all, and somebody is in the
        other one, however badly they answer. Where it carries everything already, an earlier try of this step
        has found so, and what follows is written down."""
        slot, revision = Slot(str(step.params["slot"])), str(step.params["revision"])
        before = await share_told(site)
        if before is None or share_of(slot, before) != 100:
            wrong = await _wrong_with(revision, site, slot)
            if wrong is not None and (await _is_well(site, slot.other) or await is_deserted(site, slot)):
                await self._leave(site, plan, slot, work)
                raise wrong
        moved = await divert(before, site, slot)
        await self._book.shifted(work.run_id, plan, 100, self._clock())
        await self._book.reached(work.run_id, self._clock())
        await self._book.completed(work.run_id, plan, self._clock())
        if moved.problem is not None:
            raise moved.problem
        return moved.told

    async def _leave(self, site: Site, plan: Plan, slot: Slot, work: Work) -> None:
        """Stop there again what this run has started in vain. The next deployment would, otherwise."""
        b = await share_told(site)
        if b is None or share_of(slot, b) != 0:
            return
        try:
            found = await site.releases.find(slot)
            if found is None or found.marker != marker_of(work):
                return
            await site.releases.stop(slot)
        except ReleaseFailed as failed:
            log.warning("target_left", slot=slot.value, reason=failed.reason, detail=failed.detail)
            return
        await self._book.emptied(plan, slot)

    async def _still(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        return await see_still(site, Slot(str(step.params["slot"])))

    async def _drain(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        """What carries traffic yet is left alone: cutting it off would be an outage. And it is not stopped
        before the other one answers: somebody may want it back."""
        slot = Slot(str(step.params["slot"]))
        if share_of(slot, await patiently(site, site.traffic.share)) != 0:
            raise StepFailed("slot_carries", slot=slot.value)
        result = await drain(site, slot, site.environment.drain.total_seconds())
        if not await answers(site, slot.other):
            raise StepFailed("target_silent")
        with as_failures():
            await site.releases.stop(slot)
        await self._book.emptied(plan, slot)
        return result

    async def _recover(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        """It carries everything, and is well."""
        slot = Slot(str(step.params["slot"]))
        share = share_of(slot, await patiently(site, site.traffic.share))
        if share != 100:
            raise StepFailed("traffic_not_moved", share=share)
        health = await wait_until_healthy(site.address(slot), site.health, lambda: site.releases.find(slot))
        if not health.healthy:
            raise unhealthy("blue_unwell", health)
        result: dict[str, JsonValue] = {"seconds": round(health.seconds, 1)}
        if site.environment.lock_after_rollback:
            subject = await self._planner.lockable(site, work.run_id)
            result |= lock_told(subject, self._clock() + site.environment.lock_after_rollback)
        return result


async def _wrong_with(revision: str, site: Site, slot: Slot) -> StepFailed | None:
    """Why that release must not get the traffic there: what should have been started may not have been, and
    whoever answers is another one. None where all is well; that nobody can tell soon what runs there is no
    reason to stay."""
    try:
        async with asyncio.timeout(TELLS_WITHIN):
            found = await site.releases.find(slot)
    except (ReleaseFailed, TimeoutError):
        pass
    else:
        if found is None:
            return _not_well("health_gone")
        if found.revision not in ("", revision):
            return StepFailed("target_other", revision=revision, found=found.revision)
    return None if await _is_well(site, slot) else _not_well()


def _not_well(problem: str = "") -> StepFailed:
    return StepFailed("target_unhealthy", seconds=0, problem=problem, values={})


async def _is_well(site: Site, slot: Slot) -> bool:
    rules = site.health
    async with session_of(1, rules.timeout) as session:
        return await check(site.address(slot), rules, session) is None
