"""A backup, from making the repositories to `백업 완료, 검증됨`."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from bot.domain.backup.gate import Covered, Uncovered
from bot.domain.backup.sources import Dump, Source, SourceKind
from bot.domain.backup.status import SourceState
from bot.engine.operations.backup.restore import RestoreBackup
from bot.engine.operations.backup.verify import VerifyBackups
from bot.engine.operations.contract import Operation, OperationRefused, Stopped
from tests.backups import Templates, fill
from tests.components import program
from tests.engine.operations.backup.conftest import Hand, Yard


async def test_a_backup_is_made_copied_checked_restored_and_only_then_verified(bare_yard: Yard) -> None:
    yard = bare_yard
    assert not (await yard.desk.facts("/guardian")).verified
    ran = await yard.now()
    assert ran.failed == []
    assert [step.name for step in ran.plan.steps] == [
        "backup_init",
        "backup_init",
        *("backup_take", "backup_copy") * 2,
        *("backup_check",) * 2,
        *("backup_prove",) * 2,
        "backup_retention",
    ]
    facts = await yard.desk.facts("/guardian")
    assert facts.verified
    assert [each.stands for each in facts.sources] == ["good", "good"]
    assert facts.missing == ()
    assert facts.media is None
    assert {each.encryption for each in facts.repositories} == {"AES-256"}
    chunkers = {each.chunker for each in (await yard.vault.known()).values()}
    assert len(chunkers) == 1, "both cut files alike, so that copies share their data"
    assert yard.objects.denied == [], "nothing off-site was even tried to be deleted"
    assert await yard.restic.locks(yard.offsite) == []


async def test_work_is_refused_until_what_it_touches_is_covered(yard: Yard) -> None:
    uploads = str(yard.folder / "uploads" / "photo.jpg")
    refusal = await yard.desk.covered([uploads])
    assert refusal == Uncovered("none_verified", uploads, ("uploads",))
    await yard.now()
    assert isinstance(await yard.desk.covered([uploads, str(yard.folder / "etc")]), Covered)
    elsewhere = await yard.desk.covered([uploads, "/srv/elsewhere"])
    assert isinstance(elsewhere, Uncovered)
    assert (elsewhere.reason, elsewhere.what) == ("no_source", "/srv/elsewhere")
    yard.ahead = timedelta(hours=25)
    old = await yard.desk.covered([uploads])
    assert isinstance(old, Uncovered)
    assert (old.reason, old.sources) == ("too_old", ("uploads",))


async def test_a_link_into_a_source_is_followed_before_it_is_judged(yard: Yard) -> None:
    (yard.folder / "link").symlink_to(yard.folder / "uploads")
    (yard.folder / "uploads" / "out").symlink_to("/srv/elsewhere")
    await yard.now()
    assert isinstance(await yard.desk.covered([str(yard.folder / "link")]), Covered)
    refusal = await yard.desk.covered([str(yard.folder / "uploads" / "out")])
    assert isinstance(refusal, Uncovered)
    assert refusal.reason == "no_source"


async def test_what_the_configuration_names_since_the_backup_is_not_covered_by_it(yard: Yard) -> None:
    await yard.now(["uploads"])
    added = str(fill(yard.folder / "more", [("x", b"x")]))
    yard.sources[1] = replace(yard.sources[1], paths=(*yard.sources[1].paths, added))
    refusal = await yard.desk.covered([added])
    assert isinstance(refusal, Uncovered)
    assert (refusal.reason, refusal.sources) == ("none_verified", ("uploads",))


async def test_what_is_left_out_is_neither_saved_nor_covered(yard: Yard) -> None:
    left_out = fill(yard.folder / "uploads" / "cache[1]", [("x", b"x")])
    yard.sources[1] = replace(yard.sources[1], exclude=(str(left_out),))
    await yard.now(["uploads"])
    refusal = await yard.desk.covered([str(yard.folder / "uploads")])
    assert isinstance(refusal, Uncovered)
    assert refusal.reason == "left_out"
    await yard.restored(yard.folder / "back")
    assert not list((yard.folder / "back").rglob("cache*"))
    assert list((yard.folder / "back").rglob("photo.jpg"))


async def test_code_is_synchronised_when_its_commit_is_in_the_snapshot(yard: Yard) -> None:
    code = yard.folder / "code"
    commit(code, "one")
    yard.sources = [Source("code", SourceKind.CODE, (str(code),))]
    await yard.now()
    assert (await yard.desk.statuses())[0].state is SourceState.GOOD
    commit(code, "two")
    status = (await yard.desk.statuses())[0]
    assert (status.state, status.figure, status.wanted) == (SourceState.NOT_SYNCHRONISED, 0, 1)


async def test_versions_of_configurations_are_counted_by_their_content(yard: Yard) -> None:
    for port in (b"1", b"2"):
        fill(yard.folder / "etc", [("app.conf", port)])
        await yard.now(["configs"])
    status = (await yard.desk.statuses())[0]
    assert (status.state, status.figure) == (SourceState.GOOD, 2)


async def test_a_step_that_is_done_again_makes_no_second_backup(yard: Yard) -> None:
    hand = Hand(7)
    await yard.now(["uploads"], hand)
    await yard.now(["uploads"], hand)
    assert len(await yard.store.kept("uploads")) == 1
    assert len(await yard.restic.snapshots(yard.local)) == 1
    assert len(await yard.restic.snapshots(yard.offsite)) == 1


async def test_stop_ends_restic_and_leaves_neither_lock_nor_backup(yard: Yard) -> None:
    fill(yard.folder / "uploads", [(str(number), os.urandom(3_000_000)) for number in range(20)])
    with pytest.raises(Stopped):
        await yard.now(["uploads"], Hand(1, stop_at=1))
    assert await yard.store.kept() == []
    assert await yard.restic.locks(yard.local) == []


async def test_a_source_around_the_repository_is_refused(yard: Yard) -> None:
    yard.sources = [Source("all", SourceKind.USER_DATA, (str(yard.folder),))]
    with pytest.raises(OperationRefused) as refusal:
        await yard.now()
    assert refusal.value.reason == "repository_in_source"


async def test_a_source_that_nobody_configured_is_refused_with_those_that_are(yard: Yard) -> None:
    with pytest.raises(OperationRefused) as refusal:
        await yard.now(["upload"])
    assert refusal.value.reason == "unknown_source"
    assert refusal.value.values["known"] == "configs, uploads"


async def test_two_repositories_on_one_disk_are_not_verified(
    yard: Yard, templates: Templates, tmp_path: Path
) -> None:
    second = tmp_path / "disk" / "second"
    shutil.copytree(templates.offsite, second)
    yard.offsite = replace(yard.offsite, location=str(second))
    ran = await yard.now(["configs"])
    assert ran.failed[0][1].values["why"] == "same_medium"
    facts = await yard.desk.facts("/guardian")
    assert not facts.verified
    assert facts.media == "same_medium"


async def test_a_dump_is_streamed_and_its_whole_is_the_canary(yard: Yard) -> None:
    dump = Dump(("seq", "300000"), "numbers.txt")
    yard.sources = [Source("db", SourceKind.DATABASE, dump=dump)]
    ran = await yard.now()
    assert ran.failed == []
    status = (await yard.desk.statuses())[0]
    assert (status.state, status.figure, status.wanted) == (SourceState.FEW_POINTS, 1, 3)
    assert (await yard.desk.facts("/guardian")).verified
    assert isinstance(await yard.desk.covered(["db"]), Covered)
    await yard.now()
    await yard.now()
    assert (await yard.desk.statuses())[0].state is SourceState.GOOD


def commit(folder: Path, text: str) -> None:
    """A commit of our own, whatever the machine's Git is told."""
    fill(folder, [("main.py", text.encode())])
    git = [program("git"), "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@localhost"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "--no-gpg-sign", "-m", text]):
        subprocess.run([*git, *words], check=True, capture_output=True)


async def test_a_backup_under_way_when_others_are_planned_leaves_their_plans_as_they_are(yard: Yard) -> None:
    await yard.now(["uploads"])
    first = await yard.store.newest("uploads")
    assert first is not None
    at, target = yard.clock() + timedelta(minutes=10), str(yard.folder / "back")
    plans: list[tuple[Operation, dict[str, JsonValue]]] = [
        (VerifyBackups(yard.vault), {}),
        (RestoreBackup(yard.vault), {"source": "uploads", "target": target}),
    ]
    before = [(await each.plan(request, at)).hash for each, request in plans]
    begun = at - timedelta(minutes=5)
    await yard.store.add(replace(first, snapshot="b" * 64, taken_at=begun, seconds=600.0, run_id=99))
    assert [(await each.plan(request, at)).hash for each, request in plans] == before
