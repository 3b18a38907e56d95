"""Where there is no Blue to go back to, nobody takes traffic there: not even the watchdog."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.domain.deploy.record import Outcome
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import Click, State
from bot.engine.deploy.back import answers
from bot.engine.deploy.site import Site
from bot.store.database import Database
from bot.tools.traffic.leases import runs
from messages.operation_facts import OperationAskedFacts
from tests.engine.deploy.ground import BRISK, Ground, balanced, grounded, site_at
from tests.engine.deploy.releases import child_of, supervisor_of
from tests.engine.support import CEILING_SECONDS, SetClock
from tests.tools.traffic.haproxy import until

LONG = replace(BRISK, dwell=timedelta(minutes=5))


def leases(ground: Ground) -> list[str]:
    """The runs that a watchdog would take back."""
    folder = ground.folder / "leases"
    return list(runs(folder)) if folder.exists() else []


async def without_blue(ground: Ground) -> None:
    """Blue is killed, and gone."""
    for pid in (supervisor_of(ground.folder, Slot.A), child_of(ground.folder, Slot.A)):
        os.kill(pid, signal.SIGKILL)

    async def is_gone() -> bool:
        return await ground.site.releases.find(Slot.A) is None

    await until(is_gone)


async def test_what_was_live_is_named_though_it_has_crashed(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=LONG) as ground:
        await without_blue(ground)
        ground.put("v2")
        asked = await ground.ask("v2")
        assert isinstance(asked, OperationAskedFacts)
        shown = asked.operation.shown
        assert (shown["current"], shown["has_blue"]) == ("v1", False)


async def test_a_first_release_is_not_taken_back_to_where_nothing_is(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=LONG) as ground:
        await without_blue(ground)
        ground.put("v2")
        number = await ground.begin("v2")
        await ground.reaches_step(number, "shift")
        await ground.carries(100)
        assert leases(ground) == []
        await ground.press(Click.STOP, number)
        over = await ground.over(number)
        assert over.state is State.FAILED
        assert await ground.live() == "v2"
        # What is left is said, and not that something of the load balancer's is wrong.
        reasons = {step.problem.reason for step in over.steps if step.problem is not None}
        assert reasons == {"no_way_back", "slot_carries"}
        row = await ground.row(number)
        assert (row.outcome, row.restored_at) == (Outcome.FAILED, None)
        assert "back" not in [event for event, _ in await ground.changes()]


async def test_a_canary_whose_blue_is_gone_is_left_by_the_watchdog_as_well(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=LONG) as ground:
        ground.put("v2")
        number = await ground.begin("v2")
        await ground.reaches_step(number, "shift")
        await ground.carries(25)
        await without_blue(ground)
        assert leases(ground) == [f"run-{number}"]
        await ground.press(Click.STOP, number)
        over = await ground.over(number)
        assert over.state is State.FAILED
        assert "blue_unwell" in {step.problem.reason for step in over.steps if step.problem is not None}
        assert leases(ground) == []
        assert await ground.site.traffic.share() == 25


async def test_a_blue_that_hangs_is_not_waited_for_as_long_as_its_health_may_take() -> None:
    patient = replace(LONG, health=replace(LONG.health, timeout=timedelta(minutes=5)))
    with (
        tempfile.TemporaryDirectory(prefix="guardian-") as folder,
        socket.create_server(("127.0.0.1", 0)) as hangs,
    ):
        async with balanced(Path(folder)) as (balancer, addresses):
            addresses[Slot.A] = f"127.0.0.1:{hangs.getsockname()[1]}"
            site = site_at(Path(folder), balancer.configuration, addresses, patient)
            async with asyncio.timeout(CEILING_SECONDS):
                assert await answers(site, Slot.A)


async def test_a_blue_that_takes_no_connection_and_refuses_none_is_not_there() -> None:
    # As of a machine that is off the network: what is sent there is dropped. Here the queue is full.
    with (
        tempfile.TemporaryDirectory(prefix="guardian-") as folder,
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        ExitStack() as waiting,
    ):
        for _ in range(4):
            each = waiting.enter_context(socket.socket())
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        async with balanced(Path(folder)) as (balancer, addresses):
            addresses[Slot.A] = f"127.0.0.1:{full.getsockname()[1]}"
            site = site_at(Path(folder), balancer.configuration, addresses, LONG)
            assert not await answers(site, Slot.A)


async def test_a_load_balancer_that_is_away_for_too_long_is_left_to_the_watchdog(
    small: Database, clock: SetClock
) -> None:
    def hasty(site: Site) -> Site:
        return replace(site, patience=0.1)

    async with grounded(small, clock, environment=LONG, tuned=hasty) as ground:
        ground.put("v2")
        number = await ground.begin("v2")
        await ground.reaches_step(number, "shift")
        await ground.carries(25)
        await ground.balancer.stop()
        await ground.press(Click.STOP, number)
        over = await ground.over(number)
        assert (over.state, over.problem and over.problem.reason) == (State.FAILED, "traffic_gone")
        # Nobody else would take it back when the load balancer is there again.
        assert leases(ground) == [f"run-{number}"]
