"""What goes wrong with backups: each is told as what it is, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.backup.gate import Covered, Uncovered
from bot.domain.backup.repositories import Place
from bot.domain.backup.sources import Dump, Source, SourceKind
from bot.domain.backup.status import SourceState
from bot.domain.backup.verification import Finding, Part
from bot.engine.operations.contract import OperationRefused
from bot.tools.restic.outcome import Watch
from tests.backups import fill, flip_a_byte, restic
from tests.components import missing
from tests.engine.operations.backup.conftest import Yard


async def test_a_flipped_byte_is_found_within_a_week_and_the_second_repository_gives_the_file(
    yard: Yard,
) -> None:
    content = (yard.folder / "uploads" / "photo.jpg").read_bytes()
    await yard.now()
    flip_a_byte(yard.local)
    monday = yard.clock()
    found = []
    for day in range(8):
        ran = await yard.verify(monday + timedelta(days=day))
        # The drill reads everything, every time; each share has its day, and the eighth is the first's again.
        found += [error.reason for name, error in ran.failed if name == "backup_check"]
    assert found in (["damaged"], ["damaged", "damaged"])
    assert ran.reasons["backup_prove"] == "not_verified", "that other shares are well does not mend it"
    assert (await yard.desk.statuses())[1].state is SourceState.DAMAGED
    refusal = await yard.desk.covered([str(yard.folder / "uploads")])
    assert isinstance(refusal, Uncovered)
    assert refusal.reason == "damaged"

    target = yard.folder / "restored"
    ran = await yard.restored(target)
    assert ran.failed == []
    assert ran.of("backup_restore")["place"] == "offsite"
    assert ran.of("backup_restore")["first_failed"] == "damaged"
    assert next(target.rglob("photo.jpg")).read_bytes() == content


async def test_damage_that_one_source_came_upon_holds_up_work_on_the_others(yard: Yard) -> None:
    await yard.now()
    uploads, other = str(yard.folder / "uploads"), await yard.store.newest("configs")
    assert other is not None
    found = Finding(Part.READ, Place.LOCAL, yard.clock(), 1.0, "damaged", {"share": 1})
    await yard.store.proofs.add_findings(other.id, [found])
    refusal = await yard.desk.covered([uploads])
    assert isinstance(refusal, Uncovered)
    assert refusal.reason == "damaged"
    await yard.store.proofs.add_findings(other.id, [replace(found, at=yard.clock(), reason=None)])
    assert isinstance(await yard.desk.covered([uploads]), Covered)


async def test_a_wrong_password_refuses_the_plan_and_changes_nothing(yard: Yard) -> None:
    yard.local = replace(yard.local, secrets={"RESTIC_PASSWORD": "wrong"})
    with pytest.raises(OperationRefused) as refusal:
        await yard.now()
    assert (refusal.value.reason, refusal.value.values["place"]) == ("wrong_password", "local")
    assert "wrong horse" not in str(refusal.value)


async def test_a_medium_that_is_away_is_missed_and_never_made_anew(yard: Yard) -> None:
    await yard.now(["configs"])
    disk = yard.folder / "disk" / "backups"
    disk.rename(yard.folder / "unplugged")
    with pytest.raises(OperationRefused) as refusal:
        await yard.now(["configs"])
    assert refusal.value.reason == "medium_missing"
    assert not disk.exists()
    restored = await yard.restored(yard.folder / "back", source="configs")
    assert restored.of("backup_restore")["place"] == "offsite"
    (yard.folder / "unplugged").rename(disk)
    assert (await yard.now(["configs"])).failed == []


async def test_another_repository_in_its_place_is_not_written_to(yard: Yard) -> None:
    await yard.now(["configs"])
    disk = yard.folder / "disk" / "backups"
    shutil.rmtree(disk)
    await restic(yard.folder).init(yard.local)
    with pytest.raises(OperationRefused) as refusal:
        await yard.now(["configs"])
    assert refusal.value.reason == "other_repository"
    assert not list((disk / "snapshots").iterdir())


async def test_s3_that_answers_503_costs_the_copy_and_not_the_backup(yard: Yard) -> None:
    await yard.now(["uploads"])
    ran = await yard.now(["uploads"], planned=lambda: setattr(yard.objects, "busy", True))
    assert ran.reasons["backup_copy"] == "storage_unavailable"
    assert ran.reasons["backup_check"] == "storage_unavailable"
    assert ran.reasons["backup_prove"] == "not_verified"
    assert "backup_take" not in ran.reasons
    assert (await yard.desk.statuses())[1].state is SourceState.FAILED
    assert isinstance(await yard.desk.covered([str(yard.folder / "uploads")]), Covered), (
        "the first one still counts"
    )
    yard.objects.busy = False
    assert (await yard.now(["uploads"])).failed == []
    assert (await yard.desk.statuses())[1].state is SourceState.GOOD


async def test_a_dump_that_fails_leaves_no_backup_and_the_others_are_made(yard: Yard) -> None:
    half = Dump(("sh", "-c", "seq 100000; echo 'relation gone' >&2; exit 1"), "shop.sql")
    yard.sources.insert(0, Source("shop", SourceKind.DATABASE, dump=half))
    ran = await yard.now()
    assert [(name, error.reason) for name, error in ran.failed] == [
        ("backup_take", "dump_failed"),
        ("backup_copy", "nothing_taken"),
        ("backup_prove", "nothing_taken"),
        ("backup_retention", "retention_waits"),
    ]
    assert ran.failed[0][1].values["said"] == "relation gone"
    assert len(await yard.restic.snapshots(yard.local)) == 2
    assert [each.state for each in await yard.desk.statuses()] == [
        SourceState.FAILED,
        SourceState.GOOD,
        SourceState.GOOD,
    ]


async def test_a_path_that_is_gone_is_no_smaller_backup_but_a_failed_one(yard: Yard) -> None:
    yard.sources[0] = replace(yard.sources[0], paths=(*yard.sources[0].paths, str(yard.folder / "gone")))
    ran = await yard.now(["configs"])
    assert ran.reasons["backup_take"] == "source_missing"
    assert await yard.store.kept() == []


async def test_a_full_disk_is_told_and_what_was_there_stays(yard: Yard, small_disk: Path) -> None:
    shutil.copytree(yard.folder / "disk" / "backups", small_disk / "backups")
    yard.local = replace(yard.local, location=str(small_disk / "backups"))
    await yard.now(["configs"])
    fill(yard.folder / "uploads", [("large", os.urandom(30_000_000))])
    ran = await yard.now(["uploads"])
    assert ran.reasons["backup_take"] == "disk_full"
    assert (await yard.desk.statuses())[1].failed == "disk_full"
    snapshots = await yard.restic.snapshots(yard.local)
    assert [each.id for each in snapshots] == [each.snapshot for each in await yard.store.kept()]
    await yard.restic.check(yard.local, 1, Watch())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        missing("the right to mount", "run as root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
