"""Restoring: into a fresh folder, whole or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.domain.operations.approval import State
from bot.engine.operations.backup.restore import RestoreBackup
from bot.engine.operations.contract import OperationRefused, StepFailed
from bot.store.database import Database
from bot.tools.restic.outcome import Watch
from bot.tools.restic.started import Records
from messages.operation_facts import OperationAskedFacts
from tests.backups import damage, fill, hanging
from tests.engine.operations.backup.conftest import Hand, Yard
from tests.engine.operations.jobs import ANN, open_yard
from tests.engine.support import SetClock
from tests.waiting import eventually


async def test_everything_comes_back_and_the_time_it_took_is_kept(yard: Yard) -> None:
    await yard.now()
    target = yard.folder / "restored"
    ran = await yard.restored(target)
    assert ran.failed == []
    back = target / str(yard.folder / "uploads").lstrip("/")
    assert (back / "한글 이름*.txt").read_bytes() == b"hello"
    assert (back / "photo.jpg").read_bytes() == (yard.folder / "uploads" / "photo.jpg").read_bytes()
    assert [each.name for each in yard.folder.glob(".restored*")] == []
    facts = await yard.desk.facts("/guardian")
    assert (facts.drill_source, facts.drill_failed) == ("uploads", None)
    recovery = {each.name: each.recovery_seconds for each in facts.sources}
    assert recovery["configs"] is None
    assert recovery["uploads"] == facts.drill_seconds


async def test_one_path_of_it(yard: Yard) -> None:
    await yard.now()
    path = str(yard.folder / "uploads" / "한글 이름*.txt")
    await yard.restored(yard.folder / "restored", include=path)
    assert (await yard.desk.facts("/guardian")).drill_at is None, (
        "one path says nothing of how long all takes"
    )
    found = [each.name for each in (yard.folder / "restored").rglob("*") if each.is_file()]
    assert found == ["한글 이름*.txt"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("relative", "target_not_absolute"),
        ("{folder}/uploads/../restored", "target_unusable"),
        ("/a" * 5000, "target_unusable"),
        ("{folder}/" + "x" * 300, "target_unusable"),
        ("{folder}/two\nlines", "target_unusable"),
        ("{folder}/uploads", "target_not_fresh"),
        ("{folder}/no/parent", "target_not_fresh"),
        ("{folder}/dangling", "target_not_fresh"),
        ("{folder}/disk/backups/here", "target_in_repository"),
        ("{folder}/link/here", "target_in_repository"),
    ],
)
async def test_only_a_fresh_place_is_taken(yard: Yard, target: str, reason: str) -> None:
    await yard.now(["uploads"])
    (yard.folder / "dangling").symlink_to("nowhere")
    (yard.folder / "link").symlink_to(yard.folder / "disk" / "backups")
    with pytest.raises(OperationRefused) as refusal:
        await yard.restored(Path(target.format(folder=yard.folder)))
    assert refusal.value.reason == reason


async def test_what_came_to_the_place_meanwhile_is_not_overwritten(yard: Yard) -> None:
    await yard.now(["uploads"])
    target, hand, operation = yard.folder / "restored", Hand(9), RestoreBackup(yard.vault)
    plan = await operation.plan({"source": "uploads", "target": str(target)}, yard.clock())
    first, second = plan.steps
    await operation.do(plan, first, hand)
    fill(target, [("mine", b"mine")])
    with pytest.raises(StepFailed) as failed:
        await operation.do(plan, second, hand)
    assert failed.value.reason == "target_not_fresh"
    assert [each.name for each in target.iterdir()] == ["mine"]
    assert await operation.undo(plan, second, hand) == {}
    assert await operation.undo(plan, first, hand) == {"removed": True}
    assert [each.name for each in target.iterdir()] == ["mine"]


async def test_a_restore_that_was_killed_begins_anew_and_one_that_is_done_stays(yard: Yard) -> None:
    await yard.now(["uploads"])
    target, hand, operation = yard.folder / "restored", Hand(9), RestoreBackup(yard.vault)
    plan = await operation.plan({"source": "uploads", "target": str(target)}, yard.clock())
    fill(yard.folder / ".restored.guardian-9", [("half", b"half")])
    for step in (plan.steps[0], plan.steps[1], plan.steps[1]):
        await operation.do(plan, step, hand)
    assert list(target.rglob("photo.jpg"))
    assert not list(target.rglob("half"))
    assert await operation.undo(plan, plan.steps[0], hand) == {"removed": False}


async def test_a_restore_does_not_go_on_where_one_that_was_left_behind_still_writes(yard: Yard) -> None:
    await yard.now(["uploads"])
    target, hand, operation = yard.folder / "restored", Hand(9), RestoreBackup(yard.vault)
    plan = await operation.plan({"source": "uploads", "target": str(target)}, yard.clock())
    (taken,) = await yard.store.kept("uploads")
    beside = yard.folder / ".restored.guardian-9"
    with hanging(yard.local):
        left = asyncio.create_task(yard.restic.restore(yard.local, taken.snapshot, beside, None, Watch()))
        await eventually(lambda: Records(yard.folder / "started").restoring_to(beside))
        with pytest.raises(StepFailed) as failed:
            await operation.do(plan, plan.steps[0], hand)
        assert failed.value.reason == "still_writing"
        assert beside.is_dir(), "nothing is taken away from under it"
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
    for step in plan.steps:
        await operation.do(plan, step, hand)
    assert list(target.rglob("photo.jpg"))


async def test_from_the_repository_that_is_named_and_no_other(yard: Yard) -> None:
    await yard.now(["uploads"])
    ran = await yard.restored(yard.folder / "restored", place="offsite")
    assert ran.of("backup_restore")["place"] == "offsite"
    assert ran.of("backup_restore")["first_failed"] is None
    (taken,) = await yard.store.kept("uploads")
    by_its_name_there = str(taken.copied)[:10]
    assert (
        await yard.restored(yard.folder / "again", place="offsite", snapshot=by_its_name_there)
    ).failed == []
    damage(yard.local)
    ran = await yard.restored(yard.folder / "local", place="local")
    assert ran.reasons == {"backup_restore": "damaged"}
    assert not (yard.folder / "local").exists()
    with pytest.raises(OperationRefused) as refusal:
        await yard.restored(yard.folder / "third", place="moon")
    assert refusal.value.reason == "unknown_place"


async def test_plans_for_other_sources_and_other_places_wait_beside_one_another(yard: Yard) -> None:
    await yard.now()
    database = await Database.open(f"sqlite+aiosqlite:///{yard.folder / 'operations.db'}")
    restore, chest = RestoreBackup(yard.vault), yard.folder / "chest"
    async with open_yard(database, chest, SetClock(yard.clock()), operations={restore.name: restore}) as desk:
        numbers = []
        for source, target in (("uploads", "a"), ("configs", "b"), ("uploads", "c"), ("uploads", "a")):
            request = {"source": source, "target": str(yard.folder / target)}
            asked = await desk.desk.ask(restore.name, request, ANN)
            assert isinstance(asked, OperationAskedFacts), asked
            numbers.append(asked.operation.id)
        states = [(await desk.record(number)).state for number in numbers]
    await database.close()
    assert states == [State.SUPERSEDED, State.PENDING, State.PENDING, State.PENDING]


async def test_an_older_snapshot_by_its_name(yard: Yard) -> None:
    await yard.now(["uploads"])
    fill(yard.folder / "uploads", [("한글 이름*.txt", b"changed")])
    await yard.now(["uploads"])
    first = (await yard.store.kept("uploads"))[0]
    await yard.restored(yard.folder / "restored", snapshot=first.snapshot[:10])
    assert next((yard.folder / "restored").rglob("한글*")).read_bytes() == b"hello"
    with pytest.raises(OperationRefused) as refusal:
        await yard.restored(yard.folder / "again", snapshot="ffffffffff")
    assert refusal.value.reason == "unknown_snapshot"
