"""The disk is full in the middle of a deployment: that of HAProxy's file, or that of everything."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.operations.approval import State
from bot.engine.operations.durable import Body, DbosRuns
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from tests.engine.deploy.ground import BRISK, grounded
from tests.engine.deploy.test_deploy import is_back
from tests.engine.deploy.visitors import visitors
from tests.engine.support import SetClock
from tests.small_disk import SmallDisk, small_disk

LONG = replace(BRISK, dwell=timedelta(minutes=5), lease=timedelta(seconds=6))
"""Nothing ends a stage but what happens here; and the watchdog does not wait long."""


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    """Where temporary folders are made meanwhile."""
    with small_disk() as made:
        monkeypatch.setattr(tempfile, "tempdir", str(made.folder))
        yield made


def url_on(disk: SmallDisk) -> str:
    return f"sqlite+aiosqlite:///{disk.folder / 'guardian.db'}"


def runs_on(disk: SmallDisk) -> Callable[[Body], DbosRuns]:
    """Runs that really are kept there."""
    return lambda body: DbosRuns(url_on(disk), body)


@pytest.fixture
async def kept_there(disk: SmallDisk) -> AsyncIterator[Database]:
    """A database on the small disk."""
    database = await Database.open(url_on(disk))
    yield database
    await database.close()


async def test_a_full_disk_lets_traffic_go_back_and_the_run_end_once_there_is_room(
    kept_there: Database, clock: SetClock, disk: SmallDisk
) -> None:
    async with grounded(kept_there, clock, environment=LONG, runs=runs_on(disk)) as ground:
        async with visitors(ground.balancer.url, 4) as found:
            ground.put("v2")
            number = await ground.begin("v2")
            await ground.carries(25)
            await found.more(50)
            with disk.full():
                # Neither the journal nor the lease can be written: the watchdog takes traffic back.
                await ground.carries(0)
                await found.more(50)
            over = await ground.over(number)
        assert found.failures == []
        assert over.state is State.UNDONE, over.problem
        await is_back(ground, number)
        assert ground.balancer.map_file.read_text() == "shop 0\n"


async def test_a_full_disk_that_has_room_again_in_time_ends_nothing(
    kept_there: Database, clock: SetClock, disk: SmallDisk
) -> None:
    patient = replace(BRISK, dwell=timedelta(seconds=2), lease=timedelta(minutes=5))
    async with grounded(kept_there, clock, environment=patient, runs=runs_on(disk)) as ground:
        async with visitors(ground.balancer.url, 4) as found:
            ground.put("v2")
            number = await ground.begin("v2")
            await ground.carries(25)
            with disk.full():
                # Longer than the stage: the step is over, and the next may not begin unwritten.
                await found.more(1000)
                assert await ground.site.traffic.share() == 25
            over = await ground.over(number)
        assert found.failures == []
        assert over.state is State.DONE, over.problem
        assert await ground.live() == "v2"
        assert ground.balancer.map_file.read_text() == "shop 100\n"


async def test_on_a_disk_that_is_full_already_nothing_begins(
    kept_there: Database, clock: SetClock, disk: SmallDisk
) -> None:
    async with grounded(kept_there, clock, environment=BRISK) as ground:
        async with visitors(ground.balancer.url, 2) as found:
            ground.put("v2")
            with disk.full():
                with pytest.raises(StoreUnavailable):
                    await ground.ask("v2")
                await found.more(50)
            assert await ground.yard.store.latest(1) == []
            over = await ground.over(await ground.begin("v2"))
        assert set(found.answers) <= {"v1", "v2"}
        assert found.failures == []
        assert over.state is State.DONE, over.problem
