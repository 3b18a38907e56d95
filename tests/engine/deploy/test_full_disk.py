"""The disk is full in the middle of a deployment: that of HAProxy's file, or that of everything."""

from __future__ import annotations

import errno
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.operations.approval import State
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from tests.components import missing
from tests.engine.deploy.ground import BRISK, grounded
from tests.engine.deploy.test_deploy import is_back
from tests.engine.deploy.visitors import visitors
from tests.engine.support import SetClock

SIZE_MEGABYTES = 24
LONG = replace(BRISK, dwell=timedelta(minutes=5), lease=timedelta(seconds=6))
"""Nothing ends a stage but what happens here; and the watchdog does not wait long."""


@dataclass(frozen=True)
class SmallDisk:
    """A file system of its own, of some megabytes."""

    folder: Path

    @contextmanager
    def full(self) -> Iterator[None]:
        """Without a byte left meanwhile, for root as well."""
        ballast = self.folder / "ballast"
        with open(ballast, "wb", buffering=0) as opened:
            for size in (65536, 1):
                try:
                    while True:
                        opened.write(b"x" * size)
                except OSError as error:
                    assert error.errno == errno.ENOSPC
        try:
            yield
        finally:
            ballast.unlink()


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    """Where temporary folders are made meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MEGABYTES}m", "guardian-test", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        folder.rmdir()
        missing("a file system of its own", "mount(8), which root may")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


@pytest.fixture
async def kept_there(small_disk: SmallDisk) -> AsyncIterator[Database]:
    """A database on the small disk."""
    database = await Database.open(f"sqlite+aiosqlite:///{small_disk.folder / 'guardian.db'}")
    yield database
    await database.close()


async def test_a_full_disk_lets_traffic_go_back_and_the_run_end_once_there_is_room(
    kept_there: Database, clock: SetClock, small_disk: SmallDisk
) -> None:
    async with grounded(kept_there, clock, environment=LONG) as ground:
        async with visitors(ground.balancer.url, 4) as found:
            ground.put("v2")
            number = await ground.begin("v2")
            await ground.carries(25)
            await found.more(50)
            with small_disk.full():
                # Neither the journal nor the lease can be written: the watchdog takes traffic back.
                await ground.carries(0)
                await found.more(50)
            over = await ground.over(number)
        assert found.failures == []
        assert over.state is State.UNDONE, over.problem
        await is_back(ground, number)
        assert ground.balancer.map_file.read_text() == "shop 0\n"


async def test_a_full_disk_that_has_room_again_in_time_ends_nothing(
    kept_there: Database, clock: SetClock, small_disk: SmallDisk
) -> None:
    patient = replace(BRISK, dwell=timedelta(seconds=2), lease=timedelta(minutes=5))
    async with grounded(kept_there, clock, environment=patient) as ground:
        async with visitors(ground.balancer.url, 4) as found:
            ground.put("v2")
            number = await ground.begin("v2")
            await ground.carries(25)
            with small_disk.full():
                # Longer than the stage: the step is over, and the next may not begin unwritten.
                await found.more(1000)
                assert await ground.site.traffic.share() == 25
            over = await ground.over(number)
        assert found.failures == []
        assert over.state is State.DONE, over.problem
        assert await ground.live() == "v2"
        assert ground.balancer.map_file.read_text() == "shop 100\n"


async def test_on_a_disk_that_is_full_already_nothing_begins(
    kept_there: Database, clock: SetClock, small_disk: SmallDisk
) -> None:
    async with grounded(kept_there, clock, environment=BRISK) as ground:
        async with visitors(ground.balancer.url, 2) as found:
            ground.put("v2")
            with small_disk.full():
                with pytest.raises(StoreUnavailable):
                    await ground.ask("v2")
                await found.more(50)
            assert await ground.yard.store.latest(1) == []
            over = await ground.over(await ground.begin("v2"))
        assert set(found.answers) <= {"v1", "v2"}
        assert found.failures == []
        assert over.state is State.DONE, over.problem
