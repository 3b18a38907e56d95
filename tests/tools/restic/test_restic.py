"""The real restic: what it leaves behind when it is ended, and what nobody may see."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.backup.sources import Dump
from bot.tools.restic.errors import (
    Cancelled,
    DumpEmpty,
    DumpFailed,
    NoRepository,
    NotPermitted,
    ResticMissing,
    TimedOut,
)
from bot.tools.restic.outcome import Watch
from bot.tools.restic.repository import Repository
from bot.tools.restic.restic import Restic
from bot.tools.restic.running import Patience
from tests.backups import HASTY, PASSWORD, fill, local, offsite, restic
from tests.objects import Objects
from tests.waiting import eventually


def shell(text: str) -> Dump:
    """A dump that is this line of a shell."""
    return Dump(("sh", "-c", text), "dump")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("echo x; exit 3", DumpFailed),
        ("seq 300000; kill -9 $$", DumpFailed),
        ("true", DumpEmpty),
        ("sleep 1000 & echo x; exit 1", DumpFailed),
    ],
)
async def test_a_dump_that_fails_makes_no_snapshot(
    tmp_path: Path, repository: Repository, line: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await restic(tmp_path).backup_dump(repository, shell(line), os.environ, (), Watch())
    assert await restic(tmp_path).snapshots(repository) == []
    assert await restic(tmp_path).locks(repository) == []


async def test_it_can_be_ended_where_ctrl_c_is_ignored_as_under_nohup(
    tmp_path: Path, repository: Repository
) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for _ in range(3):
            with pytest.raises(DumpFailed):
                await restic(tmp_path).backup_dump(repository, shell("exit 3"), os.environ, (), Watch())
            assert await restic(tmp_path).locks(repository) == []
    finally:
        signal.signal(signal.SIGINT, before)


async def test_a_dump_program_that_is_not_there_is_named(tmp_path: Path, repository: Repository) -> None:
    with pytest.raises(DumpFailed) as failed:
        await restic(tmp_path).backup_dump(repository, Dump(("no_such",), "x"), os.environ, (), Watch())
    assert failed.value.values["program"] == "no_such"


async def test_a_dump_gets_the_variables_that_it_is_given_and_no_others(
    tmp_path: Path, repository: Repository
) -> None:
    environment = {**os.environ, "PGPASSWORD": "given", "SLACK_BOT_TOKEN": "not given"}
    dump = Dump(("sh", "-c", "echo $PGPASSWORD $SLACK_BOT_TOKEN $RESTIC_PASSWORD"), "x", ("PGPASSWORD",))
    hands = restic(tmp_path)
    saved = await hands.backup_dump(repository, dump, environment, (), Watch())
    await hands.restore(repository, saved.snapshot.id, tmp_path / "back", None, Watch())
    assert (tmp_path / "back" / "x").read_text() == "given\n"


async def test_too_long_ends_it_without_a_lock(tmp_path: Path, repository: Repository) -> None:
    hasty = restic(tmp_path, Patience(whole=timedelta(seconds=1)))
    with pytest.raises(TimedOut):
        await hasty.backup_dump(repository, shell("sleep 1000"), os.environ, (), Watch())
    assert await restic(tmp_path).locks(repository) == []
    assert await restic(tmp_path).snapshots(repository) == []


async def test_stop_and_a_cancelled_task_end_it_and_leave_no_lock_that_stays(
    tmp_path: Path, repository: Repository
) -> None:
    hands = restic(tmp_path)
    with pytest.raises(Cancelled):
        await hands.backup_dump(repository, shell("sleep 1000"), os.environ, (), Watch(stopping=lambda: True))
    task = asyncio.create_task(hands.backup_dump(repository, shell("sleep 1000"), os.environ, (), Watch()))
    locks = Path(repository.location, "locks")
    await eventually(lambda: list(locks.iterdir()))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # restic told to go at the very moment at which it makes its lock may leave it: its process is known dead.
    await hands.release_own_locks(repository)
    assert await hands.locks(repository) == []
    assert await hands.snapshots(repository) == []


async def test_no_secret_is_in_the_arguments_or_in_what_is_printed(
    tmp_path: Path, repository: Repository
) -> None:
    seen = tmp_path / "seen"
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {seen}\nexec restic "$@"\n')
    spy.chmod(0o700)
    hands = Restic(str(spy), tmp_path, os.environ)
    await hands.backup(repository, [str(fill(tmp_path / "src", [("a", b"a")]))], (), (), Watch())
    assert "backup" in seen.read_text().splitlines()
    assert PASSWORD not in seen.read_text()
    assert PASSWORD not in repr(repository)


async def test_a_writer_that_may_only_add_can_copy_check_and_restore_but_not_forget(
    tmp_path: Path, repository: Repository, objects: Objects
) -> None:
    objects.adds_only = True
    hands, second = restic(tmp_path), offsite(objects)
    source = fill(tmp_path / "src", [("a", os.urandom(100_000))])
    saved = await hands.backup(repository, [str(source)], (), (), Watch())
    await hands.copy(repository, second, [saved.snapshot.id], Watch())
    (copy,) = await hands.snapshots(second)
    assert (copy.original, copy.tree) == (saved.snapshot.id, saved.snapshot.tree)
    await hands.check(second, 1, Watch())
    await hands.restore(second, copy.id, tmp_path / "back", None, Watch())
    with pytest.raises(NotPermitted):
        await hands.forget(second, [copy.id], Watch())
    assert objects.denied == []
    hasty = restic(tmp_path, HASTY)  # restic itself would ask for a quarter of an hour
    with pytest.raises(NotPermitted):
        await hasty.forget(offsite(objects, may_delete=True), [copy.id], Watch())
    assert objects.denied, "the storage itself refuses it too"
    assert len(await hands.snapshots(second)) == 1


async def test_no_repository_and_no_restic(tmp_path: Path) -> None:
    with pytest.raises(NoRepository):
        await restic(tmp_path).snapshots(local(tmp_path / "nothing"))
    with pytest.raises(ResticMissing):
        await Restic(str(tmp_path / "restic"), tmp_path, {}).version()


async def test_a_restore_into_what_is_there_is_refused(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(FileExistsError):
        await restic(tmp_path).restore(repository, "latest", tmp_path / "there", None, Watch())
