"""The watchdog alone: nobody watches a canary any more, and traffic goes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pydantic import JsonValue

from bot.domain.deploy.record import Outcome
from bot.domain.deploy.slots import Slot, share_of
from bot.domain.operations.approval import State
from bot.engine.deploy.site import Site
from bot.store.database import Database
from tests.engine.deploy.ground import QUICK, deployed_by, standing
from tests.engine.operations.jobs import Memory
from tests.engine.support import SetClock
from tests.tools.traffic.haproxy import load, until
from tests.waiting import eventually


async def carries(site: Site, percent: int) -> bool:
    """Whether slot b carries so much."""
    return share_of(Slot.B, await site.traffic.share()) == percent


SLOW = replace(QUICK, dwell=timedelta(hours=1), lease=timedelta(seconds=1))


async def test_a_canary_whose_guardian_is_gone_goes_back_and_the_run_ends_so(
    database: Database, clock: SetClock
) -> None:
    kept: dict[int, dict[str, JsonValue]] = {}
    async with standing(SLOW) as (folder, balancer, site):
        async with load(balancer.url, 2) as found:
            async with deployed_by(
                database, clock, folder, balancer, site, lambda body: Memory(body, kept)
            ) as ground:
                ground.put("v2")
                number = await ground.begin("v2")
                await until(lambda: carries(ground.site, 10))
            # From here on nobody renews the lease.
            await until(lambda: carries(site, 0))
            async with deployed_by(
                database, clock, folder, balancer, site, lambda body: Memory(body, kept)
            ) as ground:
                over = await ground.yard.reaches(number, State.UNDONE, State.FAILED, State.DONE)
        assert over.state is State.UNDONE
        assert over.problem is not None
        assert over.problem.reason == "watchdog"
        assert await ground.live() == "v1"
        assert await site.releases.find(Slot.B) is None
        assert found.failures == []
        record = await ground.book.store.of_operation(number)
        assert record is not None
        assert record.outcome is Outcome.ROLLED_BACK
        assert list((folder / "leases").glob("lease-*")) == []


async def test_a_canary_whose_guardian_and_blue_are_gone_carries_on(
    database: Database, clock: SetClock
) -> None:
    async with standing(replace(SLOW, stages=(100,))) as (folder, balancer, site):
        async with load(balancer.url, 2) as found:
            async with deployed_by(database, clock, folder, balancer, site) as ground:
                ground.put("v2")
                await ground.begin("v2")
                await until(lambda: carries(ground.site, 100))
                await site.releases.stop(Slot.A)
            log = folder / "leases" / "watchdog.log"
            await eventually(lambda: '"stays"' in log.read_text())
            await found.more(20)
            assert await carries(site, 100)
            await site.releases.start(Slot.A, "v1", "again")
            await until(lambda: carries(site, 0))
            await found.more(20)
        assert found.failures == []


async def test_one_that_is_watched_is_left_alone(database: Database, clock: SetClock) -> None:
    async with standing(replace(QUICK, lease=timedelta(seconds=1), dwell=timedelta(seconds=3))) as (
        folder,
        balancer,
        site,
    ):
        async with load(balancer.url, 2), deployed_by(database, clock, folder, balancer, site) as ground:
            ground.put("v2")
            number = await ground.begin("v2")
            over = await ground.yard.reaches(number, State.UNDONE, State.FAILED, State.DONE)
        assert over.state is State.DONE
        assert await ground.live() == "v2"
