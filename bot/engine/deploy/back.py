"""Traffic back to Blue: flipped, seen to have stopped, drained, and cut off where it does not end.

The same whether a deployment is undone or somebody goes back to a kept release. Each part looks before it
acts, and is done again after a crash.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import JsonValue

from bot.domain.deploy.slots import Slot, share_of
from bot.engine.deploy.site import Site
from bot.engine.operations.contract import StepFailed
from bot.tools.listening import accepts
from bot.tools.releases.health import check, session_of
from bot.tools.traffic.contract import TrafficFailed

T = TypeVar("T")

GONE = "traffic_gone"
"""the reason of a failure for want of a load balancer"""
_TOLD_WITHIN = 3.0
"""seconds that the load balancer has to tell how it is before it is told how it shall be"""
_AGAIN = 0.25
_ASKED = 3
_ANSWERS_WITHIN = 2.0
_REFUSED, _SLOW = "health_refused", "health_slow"
_LOOKS = 0.05
_STILL = 0.3
"""seconds without one further request"""
_STILL_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class Diverted:
    """Traffic that has been moved."""

    told: dict[str, JsonValue]
    """figures for the card"""
    problem: StepFailed | None
    """that the next start of the load balancer may not know of it, for a file could not be written; or that
    nobody can see whether it is so. What follows is done first, and then this is raised"""


async def share_told(site: Site) -> int | None:
    """What slot b carries; None where that cannot be told soon, which keeps nobody from going back."""
    try:
        async with asyncio.timeout(_TOLD_WITHIN):
            return await site.traffic.share()
    except (TrafficFailed, TimeoutError):
        return None


async def divert(before: int | None, site: Site, to: Slot) -> Diverted:
    """Let that slot carry everything, also when it does already: whoever moved it may have been killed before
    it was in the file that the load balancer starts from. Also when nobody can tell what slot b carries
    (`before`, by `share_told`). Raises StepFailed when it is not moved."""
    began, problem = time.monotonic(), None
    b = 100 if to is Slot.B else 0
    try:
        await patiently(site, lambda: site.traffic.divert(b))
    except StepFailed as failed:
        problem = failed
    took = round(1000 * (time.monotonic() - began), 1)
    # Who was away for so long is asked once more, no longer.
    patience = 0.0 if problem is not None and problem.reason == GONE else site.patience
    try:
        after = await patiently(site, site.traffic.share, patience)
    except StepFailed as unseen:
        if problem is not None:
            raise problem from None
        after, problem = b, unseen  # it was done, and cannot be seen
    if after != b:
        raise problem or StepFailed("traffic_not_moved", share=share_of(to, after))
    was = None if before is None else share_of(to, before)
    return Diverted({"milliseconds": took, "before": was}, problem)


async def see_still(site: Site, slot: Slot) -> dict[str, JsonValue]:
    """See that a slot gets no further requests. Raises StepFailed."""
    give_up = time.monotonic() + _STILL_WITHIN
    epoch, most = await _begun(site, slot)
    since = time.monotonic()
    while time.monotonic() - since < _STILL:
        if time.monotonic() > give_up:
            raise StepFailed("traffic_goes_on", slot=slot.value)
        await asyncio.sleep(_LOOKS)
        now, begun = await _begun(site, slot)
        if now != epoch or begun > most:
            since = time.monotonic()
        epoch, most = now, begun if now != epoch else max(most, begun)
    return {"requests": most}


async def _begun(site: Site, slot: Slot) -> tuple[str, int]:
    """The epoch, and how many requests have come in it. The load balancer counts a request when it is over:
    those under way are added, or every slow one that ends would look like a new one. (One that ends between
    the two looks is missed for a moment, and so the most is what counts.)"""
    counters = await patiently(site, lambda: site.traffic.counters(slot))
    return counters.epoch, counters.requests + await patiently(site, lambda: site.traffic.in_flight(slot))


async def drain(site: Site, slot: Slot, seconds: float) -> dict[str, JsonValue]:
    """Wait until nothing is under way in a slot any more, and cut off what is then: how many were `cut`, and
    how many are `left`. Raises StepFailed."""
    began = time.monotonic()
    while (left := await patiently(site, lambda: site.traffic.in_flight(slot))) > 0:
        if time.monotonic() - began >= seconds:
            # Not every load balancer can: what is not cut goes on.
            cut = await patiently(site, lambda: site.traffic.cut(slot))
            took = round(time.monotonic() - began, 2)
            return {"seconds": took, "cut": cut, "left": max(0, left - cut)}
        await asyncio.sleep(_LOOKS)
    return {"seconds": round(time.monotonic() - began, 2), "cut": 0, "left": 0}


async def answers(site: Site, slot: Slot) -> bool:
    """Whether anybody is there at all, who answers well, badly or late. Asked a few times, and for long of
    nobody: traffic waits for it, whatever a health check may take. Who is late may be a machine that is off
    the network: who listens takes a connection all the same."""
    rules = replace(site.health, timeout=min(site.health.timeout, _ANSWERS_WITHIN))
    async with session_of(1, rules.timeout) as session:
        for _ in range(_ASKED):
            problem = await check(site.address(slot), rules, session)
            if problem is not None and problem.name == _SLOW:
                return await accepts(site.address(slot), _ASKED)
            if problem is None or problem.name != _REFUSED:
                return True
            await asyncio.sleep(_AGAIN)
    return False


async def is_deserted(site: Site, slot: Slot) -> bool:
    """Whether nobody is there, and somebody in the other slot: traffic sent there would find nothing."""
    return not await answers(site, slot) and await answers(site, slot.other)


async def patiently(site: Site, ask: Callable[[], Awaitable[T]], seconds: float | None = None) -> T:
    """What the load balancer says or does, asked again for a while (`seconds`, or the site's patience) when
    it is away: it may just be restarting. Raises StepFailed."""
    give_up = time.monotonic() + (site.patience if seconds is None else seconds)
    while True:
        try:
            return await ask()
        except TrafficFailed as failed:
            if failed.reason != GONE or time.monotonic() >= give_up:
                raise StepFailed(failed.reason, detail=failed.detail) from None
        await asyncio.sleep(_AGAIN)
