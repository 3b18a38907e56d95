"""restic lives no longer than the Guardian that has started it, and while it lives nobody takes its place."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from bot.tools.restic.errors import ResticError, ResticMissing, StillWriting
from bot.tools.restic.outcome import Watch
from bot.tools.restic.repository import Repository
from bot.tools.restic.restic import Restic
from bot.tools.restic.started import Records, Started
from tests.backups import HASTY, fill, hanging, restic
from tests.waiting import eventually


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """What was started."""
    return Records(tmp_path / "started")


async def test_a_backup_ends_with_the_guardian_that_is_killed_and_leaves_no_half_dump(
    tmp_path: Path, repository: Repository, records: Records
) -> None:
    locks = Path(repository.location, "locks")
    async with guardian(tmp_path, "backup") as process:
        await eventually(lambda: list(locks.iterdir()))
        (started,) = records.all()
        assert started.lives()
        assert psutil.Process(started.pid).name() == "restic"
        process.kill()
        await process.wait()
        await eventually(lambda: not started.lives())
    assert not psutil.pid_exists(started.pid)
    await restic(tmp_path).release_own_locks(repository)
    assert await restic(tmp_path).locks(repository) == []
    assert await restic(tmp_path).snapshots(repository) == []


async def test_a_restic_whose_keeper_was_killed_too_keeps_others_from_its_folder_until_it_is_gone(
    tmp_path: Path, repository: Repository, records: Records
) -> None:
    hands, target = restic(tmp_path, HASTY), tmp_path / "restored"
    await hands.backup(repository, [str(fill(tmp_path / "src", [("a", b"a")]))], (), (), Watch())
    with hanging(repository):
        async with guardian(tmp_path, "restore") as process:
            started = await eventually(lambda: restoring(records, target))
            orphan = psutil.Process(started.pid)
            await eventually(lambda: orphan.name() == "restic")
            orphan.suspend()  # or it might end by itself, because nobody hears what it says
            os.kill(orphan.ppid(), signal.SIGKILL)
            process.kill()
            await process.wait()
    try:
        with pytest.raises(StillWriting) as refused:
            await hands.nobody_restores_to(target)
        assert (refused.value.values["pid"], refused.value.values["folder"]) == (orphan.pid, str(target))
        await hands.nobody_restores_to(tmp_path / "elsewhere")
    finally:
        orphan.kill()
    await eventually(lambda: not started.lives())
    await hands.nobody_restores_to(target)


async def test_what_has_left_nothing_behind_leaves_no_record(
    tmp_path: Path, repository: Repository, records: Records
) -> None:
    await restic(tmp_path).snapshots(repository)
    assert records.all() == []


async def test_its_exit_status_and_its_words_come_through(tmp_path: Path, repository: Repository) -> None:
    assert await restic(tmp_path).version() >= "0.14"
    with pytest.raises(ResticMissing) as missing:
        await Restic(str(tmp_path / "none"), tmp_path, {}).version()
    assert missing.value.values == {
        "said": "No such file or directory",
        "program": str(tmp_path / "none"),
    }
    with pytest.raises(ResticError) as killed:
        await Restic(str(itself_killing(tmp_path)), tmp_path, os.environ).version()
    assert killed.value.said == "exit status 137"


def restoring(records: Records, target: Path) -> Started | None:
    """The restic that restores to that folder."""
    return next((each for each in records.all() if each.restores_to(target)), None)


def itself_killing(folder: Path) -> Path:
    """A program that ends by SIGKILL."""
    path = folder / "killed"
    path.write_text("#!/bin/sh\nkill -9 $$\n")
    path.chmod(0o700)
    return path


@asynccontextmanager
async def guardian(folder: Path, what: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that does that, for as long as the block runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.tools.restic.hanging", str(folder), what
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
