"""The Guardian killed at any moment of a backup: it goes on, and what it then calls verified is."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from bot.domain.backup.repositories import Place
from bot.domain.operations.approval import State
from bot.store.backups import BackupStore
from bot.store.database import Database
from bot.store.operation_locks import LockStore
from bot.store.operations import OperationStore
from tests.backups import Templates, fill
from tests.engine.operations.backup.killed import vault_in
from tests.engine.operations.killing import until_killed
from tests.factories import T0

CEILING_SECONDS = 240
PROGRAM = "tests.engine.operations.backup.killed"


@pytest.fixture
def folder(tmp_path: Path, templates: Templates) -> Path:
    """Two empty repositories and something to back up."""
    for name, template in (("local", templates.local), ("offsite", templates.offsite)):
        copy(template, tmp_path / name)
    fill(tmp_path / "uploads", [(f"photo-{number}.jpg", os.urandom(300_000)) for number in range(20)])
    return tmp_path


def copy(source: Path, target: Path) -> None:
    """All of a folder."""
    for each in source.rglob("*"):
        place = target / each.relative_to(source)
        if each.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(each.read_bytes())


async def kill_over_and_over(folder: Path, chance: random.Random, most: int) -> int:
    """Kill at random moments, and then let it come to its end; how often it was killed."""
    for kills in range(most):
        said = await until_killed(PROGRAM, str(folder), seconds=chance.uniform(0.0, 4.0 if kills else 1.0))
        if said is not None:
            assert said == "over done"
            return kills
    assert await until_killed(PROGRAM, str(folder), seconds=None, ceiling=CEILING_SECONDS) == "over done"
    return most


async def look(folder: Path) -> None:
    """The backup is made once, in both repositories, and verified; nothing is locked any more."""
    database = await Database.open(f"sqlite+aiosqlite:///{folder / 'guardian.db'}")
    try:
        (record,) = await OperationStore(database).latest(10)
        store = BackupStore(database)
        vault = vault_in(folder, store)
        kept = await store.kept()
        proofs = await store.proofs.all()
        locks = await LockStore(database).held(T0)
        there = {
            place: [each.id for each in await vault.restic.snapshots(vault.repositories[place])]
            for place in Place
        }
    finally:
        await database.close()
    assert record.state is State.DONE
    assert locks == []
    (taken,) = kept
    assert taken.snapshot in there[Place.LOCAL]
    assert taken.copied in there[Place.OFFSITE]
    assert [proof.verified for proof in proofs][-1]


async def test_a_backup_that_is_killed_goes_on_and_is_verified(folder: Path) -> None:
    assert await kill_over_and_over(folder, random.Random("backup"), 2) > 0  # noqa: S311 - no secret
    await look(folder)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(12))
async def test_many_backups_that_are_killed(folder: Path, number: int) -> None:
    await kill_over_and_over(folder, random.Random(number), 9)  # noqa: S311 - no secret
    await look(folder)
