"""The way back of a deployment: traffic first, then Green is taken down, then Blue is looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import JsonValue

from bot.domain.deploy.plan import CHECK_BLUE, STOP_GREEN, TRAFFIC_BACK, green_of
from bot.domain.deploy.slots import Slot, share_of
from bot.domain.operations.plan import JsonObject, Plan
from bot.engine.clock import Clock
from bot.engine.deploy.back import (
    GONE,
    Diverted,
    divert,
    drain,
    is_deserted,
    patiently,
    see_still,
    share_told,
)
from bot.engine.deploy.book import DeployBook
from bot.engine.deploy.failures import as_failures, unhealthy
from bot.engine.deploy.leases import Leases
from bot.engine.deploy.site import Site
from bot.engine.operations.contract import StepFailed, Stopped, Work
from bot.tools.releases.health import wait_until_healthy

_Undo = Callable[[Site, Plan, Work], Awaitable[JsonObject]]
_BLUE_GONE = "blue_unwell"


@dataclass(frozen=True, slots=True)
class _Turned:
    """A run that goes back, as it was before anything was written down."""

    at: datetime
    """when that was decided"""
    moved: Diverted | None = None
    """what took the traffic home first; None before anything could"""
    home_at: datetime | None = None
    """when all traffic was at Blue"""


class Undoing:
    """The three kinds of undo that steps of a deployment name."""

    def __init__(self, leases: Leases, book: DeployBook, clock: Clock) -> None:
        self._leases = leases
        self._book = book
        self._clock = clock
        self._back: set[int] = set()
        """runs whose traffic is back, which the undo of each stage asks for"""
        self._turned: dict[int, _Turned] = {}
        self._away: set[int] = set()
        """runs that have waited for a load balancer in vain: once is enough, for somebody has to be called"""
        self._undoing: Mapping[str, _Undo] = {
            TRAFFIC_BACK: self._traffic_back,
            STOP_GREEN: self._stop_green,
            CHECK_BLUE: self._check_blue,
        }

    async def undo(self, site: Site, plan: Plan, name: str, work: Work) -> JsonObject:
        """What the undo of that name did. Raises StepFailed."""
        if work.run_id in self._away:
            site = replace(site, patience=0.0)
        try:
            return await self._undoing[name](site, plan, work)
        except StepFailed as failed:
            if failed.reason == GONE:
                self._away.add(work.run_id)
            raise

    @asynccontextmanager
    async def home_at_once(self, site: Site, green: Slot, run: int) -> AsyncIterator[None]:
        """Whatever ends the block early takes traffic home at once: what is written down first may have to
        wait for a database that is away. The undo of the step does it again, patiently, and says what it
        could not do, and how it went this first time."""
        try:
            yield
        except (StepFailed, Stopped):
            self._turned[run] = turned = _Turned(self._clock())
            with suppress(StepFailed):
                moved = await home(replace(site, patience=0.0), green)
                self._turned[run] = replace(turned, moved=moved, home_at=self._clock())
            raise

    async def _traffic_back(self, site: Site, plan: Plan, work: Work) -> JsonObject:
        """The first of these does it all; those of earlier stages find it done."""
        if work.run_id in self._back:
            return {"already": True}
        green, run = green_of(plan), work.run_id
        turned = self._turned.setdefault(run, _Turned(self._clock()))
        try:
            moved = await home(site, green)  # before anything is written: it waits for no database
        except StepFailed as failed:
            if failed.reason == _BLUE_GONE:  # or the watchdog would do what must not be done
                await self._leases.forget(run)
                if not plan.shown["has_blue"]:
                    b = await share_told(site)
                    raise StepFailed("no_way_back", share=None if b is None else share_of(green, b)) from None
            raise
        there = moved.told["before"] in (None, 100)  # nothing was to be moved any more, that anybody knows
        if turned.moved is None or not there:
            turned = self._turned[run] = replace(turned, moved=moved, home_at=self._clock())
        rolled_at = await self._leases.rolled_at(run)
        at = _first(turned.home_at or self._clock(), rolled_at if there else None)
        await self._book.turned(run, _first(turned.at, rolled_at))
        await self._book.restored(run, plan, at)
        result: dict[str, JsonValue] = {**(turned.moved or moved).told, "at": at.isoformat()}
        if result["before"] == 100:  # it was not we who moved it, and nobody knows how long that took
            del result["milliseconds"]
        result["still"] = await see_still(site, green)
        result["drained"] = await drain(site, green, site.environment.drain.total_seconds())
        await self._leases.forget(run)
        if moved.problem is not None:
            raise moved.problem
        self._back.add(run)
        self._turned.pop(run, None)
        return result

    async def _stop_green(self, site: Site, plan: Plan, work: Work) -> JsonObject:
        green = green_of(plan)
        if share_of(green, await patiently(site, site.traffic.share)) != 0:
            raise StepFailed("slot_carries", slot=green.value)
        with as_failures():
            found = await site.releases.find(green)
            if found is not None and found.marker != marker_of(work):
                return {"stopped": False}  # what was there before we came is none of ours
            stopped = await site.releases.stop(green)
        await self._book.emptied(plan, green)
        return {"stopped": stopped}

    async def _check_blue(self, site: Site, plan: Plan, work: Work) -> JsonObject:
        """The previous state is there again, and Blue is well."""
        blue = green_of(plan).other
        share = share_of(blue, await patiently(site, site.traffic.share))
        if share != 100 and plan.shown["has_blue"]:
            if await self._book.store.of_operation(work.run_id) is None:
                return {"as_found": share}  # nothing was begun: it is none of ours to put right
            raise StepFailed("traffic_not_moved", share=share)  # the watchdog goes on trying
        if share == 100:
            turned, rolled_at = self._turned.get(work.run_id), await self._leases.rolled_at(work.run_id)
            at = _first(self._clock(), None if turned is None else turned.home_at, rolled_at)
            await self._book.restored(work.run_id, plan, at)
        await self._leases.forget(work.run_id)
        until = await self._book.locked_until(work.run_id, site.environment, self._clock())
        locked: JsonObject = {} if until is None else lock_told(site.environment.name, until)
        if not plan.shown["has_blue"]:
            return {"blue": None, **locked}
        health = await wait_until_healthy(site.address(blue), site.health, lambda: site.releases.find(blue))
        if not health.healthy:
            raise unhealthy("blue_unwell", health)
        return {"blue": plan.shown["current"], "seconds": round(health.seconds, 1), **locked}


async def home(site: Site, green: Slot) -> Diverted:
    """All traffic back to Blue, unless Blue is gone and Green is there: worse than what there is.
    Raises StepFailed."""
    b = await share_told(site)
    carries = b is None or share_of(green, b) > 0
    if carries and await is_deserted(site, green.other):
        raise StepFailed(_BLUE_GONE, seconds=0.0, problem="health_gone", values={})
    return await divert(b, site, green.other)


def _first(at: datetime, *others: datetime | None) -> datetime:
    """The first of those that are known."""
    return min([at, *(each for each in others if each is not None)])


def lock_told(subject: str, until: datetime) -> dict[str, JsonValue]:
    """What is locked until when, for the card."""
    return {"environment": subject, "locked_until": until.isoformat()}


def marker_of(work: Work) -> str:
    """What marks the releases that a run has started."""
    return f"run-{work.run_id}"
