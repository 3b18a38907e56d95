"""A repository that is lost for good: the status says so, and a new one takes its place."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from bot.domain.backup.gate import Covered, Uncovered
from bot.domain.backup.repositories import Place
from bot.domain.backup.status import SourceState
from bot.engine.operations.backup.replace import ReplaceRepository
from bot.engine.operations.contract import OperationRefused
from messages.render import Voice
from tests.backups import fill, restic
from tests.engine.operations.backup.conftest import Yard


async def refusal_of(yard: Yard, place: str) -> OperationRefused:
    """Why that repository is not replaced."""
    with pytest.raises(OperationRefused) as refusal:
        await yard.replaced(place)
    return refusal.value


async def test_a_local_repository_that_is_gone_is_made_anew_and_filled_by_the_next_backup(yard: Yard) -> None:
    await yard.now()
    old = await yard.vault.known()
    disk, uploads = yard.folder / "disk" / "backups", str(yard.folder / "uploads")
    shutil.rmtree(disk)
    facts = await yard.desk.facts("/guardian")
    assert {each.place: each.trouble for each in facts.repositories} == {
        "local": "medium_missing",
        "offsite": None,
    }
    disk.mkdir()  # the medium was replaced by an empty one
    (disk / "lost+found").mkdir()

    ran = await yard.replaced("local")
    assert ran.failed == []
    assert (ran.plan.shown["count"], ran.plan.shown["left"]) == (2, 2)
    new = await yard.vault.known()
    assert new[Place.LOCAL].id != old[Place.LOCAL].id
    assert new[Place.LOCAL].chunker == old[Place.OFFSITE].chunker, "copies share their data as before"
    refusal = await yard.desk.covered([uploads])
    assert isinstance(refusal, Uncovered)
    assert refusal.reason == "none_verified"
    assert {each.state for each in await yard.desk.statuses()} == {SourceState.NONE}

    before = await yard.restored(yard.folder / "before")
    assert before.of("backup_restore")["place"] == "offsite"
    assert before.of("backup_restore")["first_failed"] is None
    assert (await yard.now()).failed == []
    assert isinstance(await yard.desk.covered([uploads]), Covered)
    assert len(await yard.restic.snapshots(yard.local)) == 2
    assert len(await yard.restic.snapshots(yard.offsite)) == 4, "the older ones stay where they are"


async def test_an_off_site_repository_that_is_gone_gets_every_backup_again(yard: Yard) -> None:
    await yard.now(["uploads"])
    fill(yard.folder / "uploads", [("more", b"more")])
    await yard.now(["uploads"])
    yard.offsite = replace(yard.offsite, location=yard.objects.location("empty"))
    ran = await yard.replaced("offsite")
    assert ran.failed == []
    status = (await yard.desk.statuses())[1]
    assert (status.state, status.damaged_in) == (SourceState.DAMAGED, (Place.OFFSITE,))
    assert isinstance(await yard.desk.covered([str(yard.folder / "uploads")]), Uncovered)
    ran = await yard.now(["uploads"])
    assert ran.failed == []
    assert ran.of("backup_copy")["older"] == 2
    there = {each.id for each in await yard.restic.snapshots(yard.offsite)}
    assert there == {each.copied for each in await yard.store.kept("uploads")}
    assert len(there) == 3
    assert (await yard.desk.statuses())[1].state is SourceState.GOOD


async def test_damage_in_the_repository_that_was_given_up_says_nothing_of_the_new_one(yard: Yard) -> None:
    await yard.now(["configs"])
    disk = yard.folder / "disk" / "backups"
    for pack in [each for each in (disk / "data").rglob("*") if each.is_file()]:
        pack.unlink()
    await yard.verify()
    assert (await yard.desk.statuses())[0].state is SourceState.DAMAGED
    disk.rename(yard.folder / "damaged")
    assert (await yard.replaced("local")).failed == []
    assert await yard.store.proofs.reads() == []
    assert (await yard.now(["configs"])).failed == []
    assert (await yard.desk.statuses())[0].state is SourceState.GOOD


async def test_what_is_there_is_not_replaced(yard: Yard) -> None:
    assert (await refusal_of(yard, "moon")).reason == "unknown_place"
    assert (await refusal_of(yard, "local")).reason == "never_made"
    await yard.now(["configs"])
    assert (await refusal_of(yard, "local")).reason == "not_lost"
    yard.objects.busy = True
    assert (await refusal_of(yard, "offsite")).reason == "storage_unavailable"


async def test_what_lies_in_its_place_is_not_touched(yard: Yard) -> None:
    await yard.now(["configs"])
    disk = yard.folder / "disk" / "backups"
    disk.rename(yard.folder / "away")
    fill(disk, [("photos/holiday.jpg", b"photo")])
    refused = await refusal_of(yard, "local")
    assert (refused.reason, refused.values["name"]) == ("place_not_empty", "photos")
    shutil.rmtree(disk)
    await restic(yard.folder).init(yard.local)
    assert (await refusal_of(yard, "local")).reason == "other_repository"


async def test_one_that_came_back_before_the_approval_is_not_given_up(yard: Yard) -> None:
    await yard.now(["configs"])
    disk = yard.folder / "disk" / "backups"
    disk.rename(yard.folder / "away")
    known = await yard.vault.known()

    def comes_back() -> None:
        (yard.folder / "away").rename(disk)

    ran = await yard.run(ReplaceRepository(yard.vault), {"place": "local"}, planned=comes_back)
    assert ran.reasons["backup_give_up"] == "not_lost"
    assert await yard.vault.known() == known
    assert len(await yard.store.kept()) == 1


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_the_card_says_what_is_lost_and_what_to_look_at_first(yard: Yard, language: str) -> None:
    await yard.now(["configs"])
    shutil.rmtree(yard.folder / "disk" / "backups")
    ran = await yard.replaced("local")
    voice = Voice(language)
    shown = voice.slack_phrase("backup.shown", **ran.plan.shown)
    assert yard.local.location in shown
    assert "⚠️" in shown
    for step in ran.plan.steps:
        assert "backup." not in voice.slack_phrase(f"backup.step.{step.name}", **step.params)
