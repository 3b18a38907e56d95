"""Drivers that hang: looks do not wait for them, nobody else does, and a stage comes to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deploy.plan import SHIFT
from bot.domain.deploy.slots import Slot
from bot.domain.deploy.stage import first_stage
from bot.domain.operations.approval import State
from bot.engine.deploy import sampling
from bot.engine.deploy.sampling import Look, Sampler
from bot.engine.deploy.site import Site
from bot.engine.deploy.watching import rules_of, watch
from bot.engine.operations.contract import StepFailed, Stopped
from bot.engine.operations.live import LiveWork
from bot.store.database import Database
from tests.engine.deploy.ground import BRISK, grounded, standing
from tests.engine.deploy.releases import Releases
from tests.engine.deploy.slow import Hanging, SlowReleases, SlowTraffic
from tests.engine.deploy.test_deploy import is_back, problem
from tests.engine.deploy.visitors import visitors
from tests.engine.operations.jobs import ANN
from tests.engine.support import CEILING_SECONDS, SetClock, until

LONG = replace(BRISK, dwell=timedelta(minutes=5))
"""Its stages do not end while a test lasts."""
EVERYTHING = {"share", "counters a", "counters b", "latencies a", "latencies b", "find", "usage"}


def slow(site: Site, hanging: Hanging) -> Site:
    """The same, with drivers that may hang."""
    assert isinstance(site.releases, Releases)
    return replace(
        site, traffic=SlowTraffic(site.traffic, hanging), releases=SlowReleases(site.releases, hanging)
    )


@asynccontextmanager
async def looked_at(hanging: Hanging) -> AsyncIterator[tuple[Site, Sampler]]:
    """v1 in slot a, which carries everything, as Green."""
    async with standing(BRISK) as (_, _balancer, site):
        made = slow(site, hanging)
        sampler = Sampler(made, Slot.A)
        try:
            with made.listening():
                yield made, sampler
        finally:
            await sampler.close()
            assert not any(hanging.waiting.values())


def known(look: Look) -> set[str]:
    """What a look has found out."""
    sample = look.sample
    found = {
        "share": look.b,
        "counters a": sample.green,
        "counters b": sample.blue,
        "latencies a": sample.green_latencies,
        "latencies b": sample.blue_latencies,
        "find": sample.alive,
        "usage": sample.usage,
    }
    return {name for name, value in found.items() if value is not None}


def live() -> LiveWork:
    """A step that is done now."""
    return LiveWork(1, 1, 0, lambda name, text: None)


async def test_usage_that_hangs_is_not_waited_for_and_counts_once_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "WITHIN", 3600.0)
    hanging = Hanging()
    hanging.names.add("usage")
    async with looked_at(hanging) as (_, sampler), asyncio.timeout(CEILING_SECONDS):
        for _ in range(3):
            look = await sampler.take()
            assert (look.b, look.sample.alive, look.sample.usage) == (0, True, None)
            assert look.sample.green is not None
        assert hanging.most == {"usage": 1}
        hanging.answers()
        while look.sample.usage is None:
            look = await sampler.take()


async def test_a_part_that_hangs_is_unknown_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "WITHIN", 0.2)
    for name in sorted(EVERYTHING - {"usage"}):
        hanging = Hanging()
        hanging.names.add(name)
        async with looked_at(hanging) as (_, sampler), asyncio.timeout(CEILING_SECONDS):
            seen: set[str] = set()
            while seen != EVERYTHING - {name}:
                seen |= known(await sampler.take())
                assert name not in seen
            assert hanging.most == {name: 1}
            # What comes late counts in the look after it.
            hanging.answers()
            while name not in seen:
                seen |= known(await sampler.take())


async def test_whoever_presses_a_button_waits_for_no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "WITHIN", 3600.0)
    hanging = Hanging()
    hanging.names |= EVERYTHING
    async with looked_at(hanging) as (site, sampler), asyncio.timeout(CEILING_SECONDS):
        work = live()
        now = asyncio.get_running_loop().time()
        stage = first_stage(rules_of(site), 100, now)
        watching = asyncio.create_task(watch(site, stage, sampler, work, 300.0))
        await until(lambda: hanging.waiting.get("usage", 0) > 0)
        work.hold(ANN)
        await until(lambda: work.facts() is not None)
        told = work.facts()
        assert told is not None
        assert (told.detail["held"], told.controls) == (True, ("go", "stop"))
        work.stop(ANN)
        with pytest.raises(Stopped):
            await watching
        assert set(hanging.most.values()) == {1}


async def test_a_tool_that_hangs_loses_no_lease(small: Database, clock: SetClock) -> None:
    hanging = Hanging()
    environment = replace(BRISK, lease=timedelta(seconds=5), no_usage="a test")
    async with grounded(
        small, clock, environment=environment, tuned=lambda site: slow(site, hanging)
    ) as ground:
        ground.put("v2")
        hanging.names |= {"usage"}
        async with visitors(ground.balancer.url, 4) as found:
            over = await ground.over(await ground.begin("v2"))
        assert over.state is State.DONE, over.problem
        assert hanging.most == {"usage": 1}
        assert found.failures == []
        assert await ground.live() == "v2"


async def test_a_load_balancer_that_hangs_ends_the_stage_and_keeps_nobody_from_going_back(
    small: Database, clock: SetClock
) -> None:
    hanging = Hanging()

    def tuned(site: Site) -> Site:
        return replace(slow(site, hanging), blind_patience=6.0)

    async with grounded(small, clock, environment=LONG, tuned=tuned) as ground:
        ground.put("v2")
        number = await ground.begin("v2")
        await ground.carries(25)
        hanging.names |= {"counters a", "counters b"}
        await ground.carries(0)
        hanging.answers()
        over = await ground.over(number)
        assert over.state is State.UNDONE
        assert problem(over) == ("judged", ("blind",))
        await is_back(ground, number)


async def test_a_canary_that_is_held_after_a_restart_is_watched(small: Database, clock: SetClock) -> None:
    """Between two stages: nothing is known any more of the one before."""
    async with grounded(small, clock, environment=replace(LONG, stages=(25, 50, 100))) as ground:
        ground.put("v2", errors=2)
        plan = await ground.deploy.plan(
            {"service": "shop", "environment": "production", "revision": "v2"}, clock()
        )
        await ground.site.releases.start(Slot.B, "v2", "run-1")
        await ground.site.traffic.shift(25)
        half = next(each for each in plan.steps if each.name == SHIFT and each.params["percent"] == 50)
        work = live()
        work.hold(ANN)
        async with visitors(ground.balancer.url, 4), asyncio.timeout(CEILING_SECONDS):
            with pytest.raises(StepFailed, match="judged"):
                await ground.deploy.do(plan, half, work)
        assert await ground.site.traffic.share() == 0
