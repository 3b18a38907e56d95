"""Traffic back to Blue: flipped, seen to have stopped, drained, and cut off where it does not end.

The same whether a deployment is undone or somebody goes back to a kept release. Each part looks before it
acts, and is done again after a crash.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import JsonValue

from bot.domain.deploy.slots import Slot, share_of
from bot.engine.deploy.site import Site
from bot.engine.operations.contract import StepFailed
from bot.tools.traffic.contract import TrafficFailed

T = TypeVar("T")

_PATIENCE = 30.0
"""seconds that a load balancer which is away is waited for: it may just be restarting"""
_AGAIN = 0.25
_LOOKS = 0.05
_STILL = 0.3
"""seconds without one further request"""
_STILL_WITHIN = 5.0


async def divert(site: Site, to: Slot) -> dict[str, JsonValue]:
    """Let that slot carry everything. Raises StepFailed."""
    began = time.monotonic()
    b = 100 if to is Slot.B else 0
    before = await patiently(site.traffic.share)
    if before != b:
        await patiently(lambda: site.traffic.divert(b))
        after = await patiently(site.traffic.share)
        if after != b:
            raise StepFailed("traffic_not_moved", share=share_of(to, after))
    return {"milliseconds": round(1000 * (time.monotonic() - began), 1), "before": share_of(to, before)}


async def see_still(site: Site, slot: Slot) -> dict[str, JsonValue]:
    """See that a slot gets no further requests. Raises StepFailed."""
    give_up = time.monotonic() + _STILL_WITHIN
    last = await patiently(lambda: site.traffic.counters(slot))
    since = time.monotonic()
    while time.monotonic() - since < _STILL:
        if time.monotonic() > give_up:
            raise StepFailed("traffic_goes_on", slot=slot.value)
        await asyncio.sleep(_LOOKS)
        now = await patiently(lambda: site.traffic.counters(slot))
        if (now.epoch, now.requests) != (last.epoch, last.requests):
            last, since = now, time.monotonic()
    return {"requests": last.requests}


async def drain(site: Site, slot: Slot, seconds: float) -> dict[str, JsonValue]:
    """Wait until nothing is under way in a slot any more, and cut off what is then. Raises StepFailed."""
    began = time.monotonic()
    while (left := await patiently(lambda: site.traffic.in_flight(slot))) > 0:
        if time.monotonic() - began >= seconds:
            cut = await patiently(lambda: site.traffic.cut(slot))
            return {"seconds": round(time.monotonic() - began, 2), "cut": cut or left}
        await asyncio.sleep(_LOOKS)
    return {"seconds": round(time.monotonic() - began, 2), "cut": 0}


async def patiently(ask: Callable[[], Awaitable[T]], seconds: float = _PATIENCE) -> T:
    """What the load balancer says or does, asked again for a while when it is away. Raises StepFailed."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            return await ask()
        except TrafficFailed as failed:
            if failed.reason != "traffic_gone" or time.monotonic() >= give_up:
                raise StepFailed(failed.reason, detail=failed.detail) from None
        await asyncio.sleep(_AGAIN)
