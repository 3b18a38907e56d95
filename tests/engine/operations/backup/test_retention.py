"""What is too old goes, the last verified one never, and what could not go is tried again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.engine.operations.backup.now import BackupNow
from bot.engine.operations.backup.vault import Vault
from bot.engine.operations.contract import StepFailed
from bot.tools.restic.outcome import Watch
from tests.engine.operations.backup.conftest import Hand, Yard


async def test_old_ones_go_and_the_last_verified_one_never(yard: Yard) -> None:
    await yard.now()
    yard.ahead = timedelta(days=200)
    first = {each.source: each.snapshot for each in await yard.store.kept()}
    # Time has passed for the Guardian only: a backup that restic makes today is 200 days old to it.
    ran = await yard.now(["configs"])
    assert ran.reasons == {"backup_prove": "not_verified", "backup_retention": "retention_waits"}
    there = {each.id for each in await yard.restic.snapshots(yard.local)}
    assert {first["configs"], first["uploads"]} <= there


async def test_retention_forgets_behind_a_verified_backup_and_leaves_what_is_off_site(yard: Yard) -> None:
    await yard.now()
    old = [each.snapshot for each in await yard.store.kept("uploads")]
    kept = yard.vault.rules.keep
    ran = await yard.run(BackupNow(hasty_retention(yard)), {"sources": ["uploads"]})
    assert ran.failed == []
    assert ran.of("backup_retention") == {"forgotten": 1, "left_offsite": 1}
    assert kept == timedelta(days=90)
    left = {each.id for each in await yard.restic.snapshots(yard.local)}
    assert not left & set(old)
    assert len(left) == 2, "the newest of uploads, and the configurations"
    assert len(await yard.restic.snapshots(yard.offsite)) == 3
    assert yard.objects.denied == []


@pytest.fixture
def pruned(yard: Yard) -> Yard:
    """A yard whose off-site repository may be deleted in."""
    yard.objects.adds_only = False
    yard.offsite = replace(yard.offsite, may_delete=True)
    return yard


async def test_what_could_not_be_forgotten_off_site_is_with_the_next_backup(pruned: Yard) -> None:
    yard, hand = pruned, Hand(100)
    await yard.now(["uploads"])
    (old,) = await yard.store.kept("uploads")
    operation = BackupNow(hasty_retention(yard))
    plan = await operation.plan({"sources": ["uploads"]}, yard.clock())
    *steps, retention = plan.steps
    for step in steps:
        await operation.do(plan, step, hand)
    yard.objects.busy = True
    with pytest.raises(StepFailed) as failed:
        await operation.do(plan, retention, hand)
    assert (failed.value.reason, failed.value.values["place"]) == ("storage_unavailable", "offsite")
    yard.objects.busy = False
    assert [each.id for each in await yard.restic.snapshots(yard.local)] != [old.snapshot]
    assert old.copied in {each.id for each in await yard.restic.snapshots(yard.offsite)}

    ran = await yard.run(BackupNow(hasty_retention(yard)), {"sources": ["uploads"]}, hand=Hand(101))
    assert ran.failed == []
    assert ran.of("backup_retention") == {"forgotten": 1, "forgotten_offsite": 2}
    newest = await yard.store.newest("uploads")
    assert newest is not None
    assert [each.id for each in await yard.restic.snapshots(yard.offsite)] == [newest.copied]
    assert [each.snapshot for each in await yard.store.anywhere()] == [newest.snapshot]


async def test_what_is_gone_off_site_already_is_no_reason_to_fail(pruned: Yard) -> None:
    yard = pruned
    await yard.now(["uploads"])
    (old,) = await yard.store.kept("uploads")
    await yard.restic.forget(yard.offsite, [str(old.copied)], Watch())
    ran = await yard.run(BackupNow(hasty_retention(yard)), {"sources": ["uploads"]})
    assert ran.failed == []
    assert ran.of("backup_retention") == {"forgotten": 1, "forgotten_offsite": 1}


async def test_a_storage_that_lets_nobody_delete_is_no_failure(pruned: Yard) -> None:
    yard = pruned
    await yard.now(["uploads"])
    yard.objects.adds_only = True
    ran = await yard.run(BackupNow(hasty_retention(yard)), {"sources": ["uploads"]})
    assert ran.failed == []
    assert ran.of("backup_retention") == {"forgotten": 1, "left_offsite": 1}
    yard.objects.adds_only = False
    ran = await yard.run(BackupNow(hasty_retention(yard)), {"sources": ["uploads"]})
    assert ran.of("backup_retention") == {"forgotten": 1, "forgotten_offsite": 2}


async def test_what_a_lost_local_repository_had_stays_off_site_until_it_is_too_old(pruned: Yard) -> None:
    yard = pruned
    await yard.now(["uploads"])
    shutil.rmtree(yard.folder / "disk" / "backups")
    assert (await yard.replaced("local")).failed == []
    ran = await yard.now(["uploads"])
    assert ran.of("backup_retention") == {"forgotten": 0}
    assert len(await yard.restic.snapshots(yard.offsite)) == 2
    ran = await yard.run(BackupNow(hasty_retention(yard)), {"sources": ["uploads"]})
    assert ran.of("backup_retention") == {"forgotten": 1, "forgotten_offsite": 2}


def hasty_retention(yard: Yard) -> Vault:
    """The same hands, for whom everything is too old at once."""
    vault = yard.vault
    vault.rules = replace(vault.rules, keep=timedelta(0))
    return vault
