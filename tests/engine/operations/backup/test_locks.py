"""Locks in a repository: what a killed restic of ours has left goes, and nobody else's does."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from bot.domain.backup.sources import Dump
from bot.domain.operations.plan import JsonObject
from bot.tools.restic.answers import Lock
from bot.tools.restic.errors import RepositoryLocked
from bot.tools.restic.outcome import Watch
from bot.tools.restic.repository import Repository
from bot.tools.restic.started import Records, Started
from messages.render import Voice
from tests.components import program
from tests.engine.operations.backup.conftest import Yard
from tests.waiting import CEILING, eventually

AT = datetime(2026, 3, 2, 3, tzinfo=UTC)
OURS = Started(Path("record"), 4711, "web-1", AT, AT + timedelta(minutes=9), ("backup",))
LOCK = Lock("abc", AT + timedelta(seconds=1), "web-1", 4711, "root", exclusive=False)


async def test_the_lock_of_a_killed_backup_goes_and_what_it_left_is_no_backup(yard: Yard) -> None:
    await yard.now(["uploads"])
    await killed_backup(yard, yard.local)
    assert len(await yard.restic.locks(yard.local)) == 1
    ran = await yard.now(["uploads"])
    assert ran.failed == []
    assert await yard.restic.locks(yard.local) == []


async def test_the_lock_of_a_killed_restic_goes_off_site_too(yard: Yard) -> None:
    await killed_backup(yard, yard.offsite)
    assert len(await yard.restic.locks(yard.offsite)) == 1
    assert len(await yard.restic.release_own_locks(yard.offsite)) == 1
    assert await yard.restic.locks(yard.offsite) == []


async def test_the_lock_of_a_living_restic_of_ours_stays_and_is_told_as_ours(yard: Yard) -> None:
    async with hanging_backup(yard, yard.local) as lock:
        ran = await yard.now(["uploads"])
        assert ran.reasons["backup_check"] == "locked"
        told = dict(ran.failed)["backup_check"].values
        assert (told["pid"], told["host"], told["ours"]) == (lock.pid, socket.gethostname(), True)
        assert [each.pid for each in await yard.restic.locks(yard.local)] == [lock.pid]
        assert "unlock" not in said(told)


async def test_a_dead_lock_with_our_name_that_we_did_not_write_stays_and_says_how_it_goes(yard: Yard) -> None:
    """Another container with the same host name: its process is not here, and may be at work there."""
    with foreign_backup(yard) as process:
        await eventually(lambda: locks_in(yard.local))
        (lock,) = await yard.restic.locks(yard.local)
        assert (lock.host, lock.pid) == (socket.gethostname(), process.pid)
        process.kill()
        process.wait()
    ran = await yard.now(["uploads"])
    assert ran.reasons["backup_check"] == "locked"
    assert [each.id for each in await yard.restic.locks(yard.local)] == [lock.id]
    told = dict(ran.failed)["backup_check"].values
    assert (told["pid"], told["ours"]) == (lock.pid, False)
    assert str(told["since"]) == lock.at.isoformat(timespec="seconds")
    assert f"restic -r {yard.local.location} unlock --remove-all" in said(told)


async def test_beside_a_foreign_lock_our_own_stays_too(yard: Yard) -> None:
    await killed_backup(yard, yard.local)
    with foreign_backup(yard):
        await eventually(lambda: len(locks_in(yard.local)) == 2)
        with pytest.raises(RepositoryLocked):
            await yard.restic.release_own_locks(yard.local)
        assert len(await yard.restic.locks(yard.local)) == 2
    assert len(await yard.restic.release_own_locks(yard.local)) == 1


@pytest.mark.parametrize(
    ("lock", "ours"),
    [
        (LOCK, True),
        (replace(LOCK, at=AT + timedelta(minutes=5)), True),  # restic renews it every five minutes
        (replace(LOCK, host="web-2"), False),
        (replace(LOCK, pid=4712), False),
        (replace(LOCK, at=AT - timedelta(minutes=1)), False),  # of whoever had the number before
        (replace(LOCK, at=AT + timedelta(minutes=11)), False),  # by then ours was dead
    ],
)
def test_a_lock_is_ours_by_host_process_and_time(lock: Lock, ours: bool) -> None:
    assert OURS.wrote(lock) is ours


async def test_old_records_of_dead_processes_go_and_those_of_living_ones_stay(yard: Yard) -> None:
    await killed_backup(yard, yard.local)
    folder = yard.folder / "started"
    (dead,) = records_of(yard).all()
    async with hanging_backup(yard, yard.offsite):
        for each in folder.iterdir():
            os.utime(each, (0, 0))
        records_of(yard).fresh()
        (left,) = records_of(yard).all()
        assert left.record != dead.record


def records_of(yard: Yard) -> Records:
    """The records of the yard's restic."""
    return Records(yard.folder / "started")


def said(values: JsonObject) -> str:
    """The sentence on the card."""
    return Voice("ko").slack_phrase("backup.failed.locked", **values)


def locks_in(repository: Repository) -> list[Path]:
    """The locks that are whole, as files."""
    return [each for each in Path(str(repository.path), "locks").iterdir() if "tmp" not in each.name]


@asynccontextmanager
async def hanging_backup(yard: Yard, repository: Repository) -> AsyncIterator[Lock]:
    """A backup that hangs in the middle, and its lock."""
    hanging = Dump(("sleep", "1000"), "never")
    task = asyncio.create_task(yard.restic.backup_dump(repository, hanging, os.environ, (), Watch()))
    try:
        async with asyncio.timeout(CEILING):
            while not (found := await yard.restic.locks(repository)):  # noqa: ASYNC110 - as in `eventually`
                await asyncio.sleep(0.05)
        yield found[0]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def killed_backup(yard: Yard, repository: Repository) -> None:
    """SIGKILL a backup in the middle."""
    async with hanging_backup(yard, repository) as lock:
        os.kill(lock.pid, signal.SIGKILL)
        await eventually(lambda: not psutil.pid_exists(lock.pid))


@contextmanager
def foreign_backup(yard: Yard) -> Iterator[subprocess.Popen[bytes]]:
    """A restic that somebody else has started on the same repository, in the middle of its work."""
    words = [program("restic"), "-r", yard.local.location, "backup", "--stdin"]
    environment = {**os.environ, **yard.local.secrets, "RESTIC_CACHE_DIR": str(yard.folder / "other")}
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        assert process.stdin is not None
        process.stdin.close()
