"""A deployment: three gates before the new release carries production alone, and the way back from each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from pydantic import JsonValue

from bot.domain.deploy.plan import (
    COMPLETE,
    DEPLOY,
    GREEN,
    PREFLIGHT,
    PREPARE,
    RETIRE,
    SHIFT,
    VERIFY,
    WARM,
    deploy_plan,
    green_of,
)
from bot.domain.deploy.slots import Slot, share_of, share_of_b
from bot.domain.deploy.stage import Stage, first_stage, next_stage
from bot.domain.deploy.told import told
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.engine.clock import Clock
from bot.engine.deploy.back import answers, drain, patiently
from bot.engine.deploy.book import DeployBook
from bot.engine.deploy.checks import Done
from bot.engine.deploy.facts import Planner
from bot.engine.deploy.failures import as_failures, unhealthy
from bot.engine.deploy.inspection import Inspection, failed_of, told_of
from bot.engine.deploy.leases import Leases
from bot.engine.deploy.sampling import WITHIN, Sampler
from bot.engine.deploy.site import Site, Sites
from bot.engine.deploy.undoing import Undoing, marker_of
from bot.engine.deploy.watching import baseline, figures, kept_warm, rules_of, watch
from bot.engine.operations.contract import StepFailed, Stopped, Work
from bot.tools.releases.contract import Instance, ReleaseFailed
from bot.tools.releases.health import wait_until_healthy
from bot.tools.traffic.contract import TrafficFailed

_Doing = Callable[[Site, Plan, Step, Work], Awaitable[JsonObject]]


class Deploy:
    """Keeps the contract of `Operation`."""

    name = DEPLOY

    def __init__(
        self,
        sites: Sites,
        planner: Planner,
        inspection: Inspection,
        leases: Leases,
        book: DeployBook,
        clock: Clock,
    ) -> None:
        self._sites = sites
        self._planner = planner
        self._inspection = inspection
        self._leases = leases
        self._book = book
        self._clock = clock
        self._stages: dict[int, Stage] = {}
        """the last stage of each run that passed: what follows goes on from its evidence. After a crash there
        is none, and the evidence is gathered afresh"""
        self._restarts: dict[int, int] = {}
        """how often each run's Green had been started again when it was found well; unknown after a crash"""
        self._unwritten: set[int] = set()
        """runs whose next share could not be written down yet"""
        self._undoing = Undoing(leases, book, clock)
        self._doing: Mapping[str, _Doing] = {
            PREFLIGHT: self._preflight,
            PREPARE: self._prepare,
            GREEN: self._green,
            VERIFY: self._verify,
            SHIFT: self._shift,
            COMPLETE: self._complete,
            WARM: self._warm,
            RETIRE: self._retire,
        }

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        """As `Operation` has it. The checks of gate 1 are run for it."""
        return deploy_plan(await self._planner.deploy(request, at), at)

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """As `Operation` has it."""
        return await self._doing[step.name](self._site(plan), plan, step, work)

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """As `Operation` has it. The order is the machinery's: backwards, traffic first."""
        if step.undo is None:
            return {}
        self._forget(work.run_id)
        return await self._undoing.undo(self._site(plan), plan, step.undo, work)

    def _forget(self, run: int) -> None:
        self._stages.pop(run, None)
        self._restarts.pop(run, None)
        self._unwritten.discard(run)

    def _site(self, plan: Plan) -> Site:
        return self._sites.of(plan.shown["service"], plan.shown["environment"])

    async def _preflight(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        commit = plan.shown["commit"]
        found = await self._inspection.before(
            site, _revision(plan), None if commit is None else str(commit), lambda: work.stopping
        )
        return _passed(found, work, "preflight", "deploy_preflight")

    async def _prepare(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Verified backup, baseline, the way back, monitoring: all four before anything changes."""
        refused = await self._planner.without_backup(site)
        if refused is not None:
            raise StepFailed(refused.reason, **refused.values)
        blue = green_of(plan).other
        share = share_of(blue, await patiently(site, site.traffic.share))
        if share != 100:
            raise StepFailed("traffic_mixed", share=share)
        measured: dict[str, JsonValue] = {}
        if plan.shown["has_blue"]:
            measured = await baseline(site, blue, work)
        await self._book.begin(work.run_id, plan, self._clock())
        return {
            "baseline": measured,
            "back_to": plan.shown["current"] if plan.shown["has_blue"] else None,
            "backed_up": bool(site.environment.data),
        }

    async def _green(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        slot, revision = green_of(plan), _revision(plan)
        if share_of(slot, await patiently(site, site.traffic.share)) != 0:
            raise StepFailed("slot_carries", slot=slot.value)
        with as_failures():
            instance = await site.releases.start(slot, revision, marker_of(work))
        await self._book.placed(plan, marker_of(work), self._clock())
        health = await wait_until_healthy(
            site.address(slot),
            site.health,
            lambda: site.releases.find(slot),
            restarts=instance.restarts,
            stopping=lambda: work.stopping,
        )
        if work.stopping:
            raise Stopped
        if not health.healthy:
            raise unhealthy("green_unhealthy", health)
        self._restarts[work.run_id] = instance.restarts
        return {"seconds": round(health.seconds, 1)}

    async def _verify(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        found = await self._inspection.green(site, green_of(plan), _revision(plan), lambda: work.stopping)
        result = _passed(found, work, "verify", "deploy_tests")
        before, instance = self._restarts.get(work.run_id), await self._found(site, green_of(plan))
        if before is not None and instance is not None and instance.restarts > before:
            # It answers again, and has crashed under its tests all the same.
            raise StepFailed("green_restarted", count=instance.restarts - before)
        return result

    async def _found(self, site: Site, slot: Slot) -> Instance | None:
        """What runs there; None also where that cannot be told soon. Raises StepFailed."""
        with as_failures(), suppress(TimeoutError):
            async with asyncio.timeout(WITHIN):
                return await site.releases.find(slot)
        return None

    async def _shift(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Gate 3, one stage of it."""
        green, percent = green_of(plan), int(_number(step.params["percent"]))
        if work.run_id in self._unwritten:
            await self._intend(work.run_id, plan, percent)
        # Where nobody ever was, the watchdog would wait for somebody to take the traffic back to.
        back = plan.shown["has_blue"] or await answers(site, green.other)
        async with self._leases.kept(work.run_id, site, share_of_b(green, 0) if back else None) as lease:
            await self._let_go(site, plan, percent, work, lease.is_lost)
            await self._intend(work.run_id, plan, percent)
            # Not for longer than the watchdog waits for us.
            patience = site.environment.lease.total_seconds() / 2
            async with lease.moving():
                await patiently(site, lambda: site.traffic.shift(share_of_b(green, percent)), patience)
            stage = await self._stage(site, green, percent, work)
            stage = await self._watched(site, plan, stage, work, stage.rules.dwell, taken_away=lease.is_lost)
        self._stages[work.run_id] = stage
        return _result(stage)

    async def _intend(self, run: int, plan: Plan, percent: int) -> None:
        """Write down what is meant before it is done: after a crash nobody knows how far it came. While the
        database is away the step is begun again and again, and nobody judges: it must not renew its lease
        every time, so that it writes first."""
        self._unwritten.add(run)
        await self._book.shifted(run, plan, percent, self._clock())
        self._unwritten.discard(run)

    async def _stage(self, site: Site, green: Slot, share: int, work: Work) -> Stage:
        """A stage that begins now: after the last one, or as the first. Where nobody knows how often Green
        was started again before, that counts from the first look on."""
        before, now = self._stages.get(work.run_id), time.monotonic()
        if before is not None:
            return next_stage(before, share, now)
        restarts = self._restarts.get(work.run_id)
        if restarts is None:
            found = await self._found(site, green)
            restarts = None if found is None else found.restarts
        return first_stage(rules_of(site), share, now, restarts)

    async def _let_go(
        self, site: Site, plan: Plan, percent: int, work: Work, taken_away: Callable[[], Awaitable[bool]]
    ) -> None:
        """Where somebody pressed 중단 between two stages, it stays where it is until it may go on, watched
        meanwhile if it carries anything, also when nothing is known any more of the stage before."""
        share = share_of(green_of(plan), await patiently(site, site.traffic.share))
        if work.guided.held_by is None or share >= percent:
            return
        if share > 0:
            stage = await self._stage(site, green_of(plan), share, work)
            stage = await self._watched(site, plan, stage, work, stage.rules.dwell, taken_away=taken_away)
            self._stages[work.run_id] = stage
        async with self._undoing.home_at_once(site, green_of(plan), work.run_id):
            while work.guided.held_by is not None and not work.stopping:
                if await taken_away():
                    raise StepFailed("watchdog")
                work.guided.tell({"held": True, "share": share}, ["go", "stop"])
                await work.guided.wait(1.0)
            if work.stopping:
                raise Stopped

    async def _complete(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        green = green_of(plan)
        share = share_of(green, await patiently(site, site.traffic.share))
        if share != 100:
            raise StepFailed("traffic_not_moved", share=share)
        if work.stopping:
            raise Stopped
        if plan.steps[-1].name == step.name:  # what follows otherwise can still be stopped
            work.past_return()
        await self._leases.end(work.run_id, site, share_of_b(green, 0))
        await self._book.completed(work.run_id, plan, self._clock())
        return {}

    async def _warm(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Blue is kept running, and the release watched, until it is declared healthy: by the time, or by
        somebody's 계속."""
        seconds = _number(step.params["seconds"])
        rules, now = kept_warm(rules_of(site, seconds)), time.monotonic()
        before = self._stages.get(work.run_id)
        stage = first_stage(rules, 100, now) if before is None else next_stage(before, 100, now)
        stage = replace(stage, rules=rules)
        stage = await self._watched(site, plan, stage, work, seconds, ends_at=now + seconds)
        return _result(stage)

    async def _retire(self, site: Site, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Blue is cleaned up, unless somebody wants it back while it is there. That it could not be is said,
        and is no reason to take a healthy release back: the next deployment stops it first."""
        self._forget(work.run_id)
        slot = Slot(str(step.params["slot"]))
        try:
            if share_of(slot, await site.traffic.share()) != 0:
                return {"left": "carries"}
            drained = await drain(site, slot, site.environment.drain.total_seconds())
            work.past_return()
            if work.stopping:
                raise Stopped({"drained": drained})
            stopped = await site.releases.stop(slot)
        except (ReleaseFailed, TrafficFailed) as failed:
            return {"left": failed.reason, "detail": failed.detail}
        except StepFailed as failed:
            return {"left": failed.reason, **failed.values}
        await self._book.emptied(plan, slot)
        return {"stopped": stopped, "drained": drained}

    async def _watched(
        self,
        site: Site,
        plan: Plan,
        stage: Stage,
        work: Work,
        seconds: float,
        *,
        ends_at: float | None = None,
        taken_away: Callable[[], Awaitable[bool]] | None = None,
    ) -> Stage:
        sampler = Sampler(site, green_of(plan))
        try:
            with site.listening():
                async with self._undoing.home_at_once(site, green_of(plan), work.run_id):
                    return await watch(site, stage, sampler, work, seconds, ends_at, taken_away)
        finally:
            await sampler.close()


def _revision(plan: Plan) -> str:
    return str(plan.shown["revision"])


def _passed(found: Sequence[Done], work: Work, gate: str, reason: str) -> JsonObject:
    """What was checked, attached and told. Raises Stopped, and StepFailed of that reason if any failed."""
    for each in found:
        if each.output:
            work.attach(f"{gate}-{each.result.name.value}.txt", each.output)
    if work.stopping:
        raise Stopped
    bad = failed_of(found)
    if bad:
        raise StepFailed(reason, checks=told_of(bad))
    return {"checks": told_of(found)}


def _number(value: JsonValue) -> float:
    return value if isinstance(value, int | float) else 0


def _result(stage: Stage) -> JsonObject:
    passed = stage.passed
    by = None if passed is None else passed.by
    return {**figures(told(stage, time.monotonic())), "by": by}
