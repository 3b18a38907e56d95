"""Operations whose real durable runs have lost their file: it is said, and everything else goes on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.domain.operations.approval import Click, State
from bot.domain.operations.record import OperationRecord, StepState
from bot.engine.operations.durable import Body, DbosRuns
from bot.store.database import Database
from tests.engine.operations.jobs import BOB, Chest, Yard, open_yard
from tests.engine.support import FakeSlack, SetClock, until


class Place:
    """A folder with a database, a file of runs that can be spoiled, and a chest."""

    def __init__(self, folder: Path, database: Database, clock: SetClock) -> None:
        self.folder, self.database, self.clock = folder, database, clock
        self.file = folder / "guardian-runs.db"
        self.chest, self.slack = Chest(folder / "chest"), FakeSlack()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Yard]:
        """A desk as it is after a start."""

        def runs(body: Body) -> DbosRuns:
            return DbosRuns(f"sqlite+aiosqlite:///{self.folder / 'guardian.db'}", body)

        async with open_yard(
            self.database, self.chest.folder, self.clock, chest=self.chest, slack=self.slack, runs=runs
        ) as yard:
            yield yard

    def spoil(self) -> bytes:
        """Write garbage over the file of runs; that."""
        garbage = random.Random(1).randbytes(50_000)  # noqa: S311 - no secret
        self.file.write_bytes(garbage)
        for end in ("-wal", "-shm"):
            self.file.with_name(self.file.name + end).unlink(missing_ok=True)
        return garbage

    def aside(self) -> list[Path]:
        """What was put aside."""
        return sorted(self.folder.glob("guardian-runs.db.broken-*"))


@pytest.fixture
async def place(tmp_path: Path, clock: SetClock) -> AsyncIterator[Place]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    try:
        yield Place(tmp_path, database, clock)
    finally:
        await database.close()


async def approved(yard: Yard, words: str, subject: str = "chest") -> OperationRecord:
    record = await yard.ask(words, subject=subject)
    await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    return record


async def test_what_was_under_way_has_failed_and_what_comes_after_runs(place: Place) -> None:
    place.chest.held = {"two": asyncio.Event()}
    async with place.opened() as yard:
        lost = await approved(yard, "one two three")
        await until(lambda: "two" in place.chest.reached)
        waits = await approved(yard, "four")
    garbage = place.spoil()
    reached = list(place.chest.reached)
    async with place.opened() as yard:
        failed = await yard.reaches(lost.id, State.FAILED)
        assert failed.problem is not None
        assert (failed.problem.reason, failed.problem.values) == ("lost", {"file": "guardian-runs.db"})
        assert [step.state for step in failed.steps] == [StepState.DONE, StepState.STUCK]
        assert (lost.id, State.FAILED) in yard.alerts
        assert await yard.locks.held() == () or (await yard.locks.held())[0].run == waits.id
        await yard.reaches(waits.id, State.DONE)
        later = await approved(yard, "five")
        await yard.reaches(later.id, State.DONE)
        assert place.chest.reached == [*reached, "four", "five"], "nothing of the lost run is done again"
        (told,) = yard.runs_told
        assert (told.kind, told.lost) == ("broken", (lost.id,))
        assert [str(path) for path in place.aside()] == [told.aside]
    assert place.aside()[0].read_bytes() == garbage
    async with place.opened() as yard:
        assert yard.runs_told == []
        assert (await yard.record(lost.id)).state is State.FAILED


async def test_a_damaged_file_at_the_first_approval_loses_nothing(place: Place) -> None:
    place.spoil()
    async with place.opened() as yard:
        record = await approved(yard, "one two")
        await yard.reaches(record.id, State.DONE)
        (told,) = yard.runs_told
        assert (told.kind, told.lost) == ("broken", ())
    assert len(place.aside()) == 1


async def test_while_runs_cannot_be_kept_what_is_approved_waits_and_its_card_says_why(place: Place) -> None:
    place.file.mkdir()
    async with place.opened() as yard:
        record = await approved(yard, "one")

        def why() -> object:
            problem = yard.card(record.id).get("problem")
            return problem["reason"] if isinstance(problem, dict) else None

        await until(lambda: why() == "runs_unavailable")
        assert (await yard.record(record.id)).state is State.QUEUED
        # Everything else can be done meanwhile.
        other = await yard.ask("two", subject="elsewhere")
        await yard.desk.press(Click.DENY, other.id, other.plan_hash, BOB)
        assert (await yard.record(other.id)).state is State.DENIED
        assert [told.kind for told in yard.runs_told] == ["unavailable"]
        place.file.rmdir()
        await yard.reaches(record.id, State.DONE)
        await until(lambda: yard.card(record.id).get("state") == "done" and why() is None)
        assert [told.kind for told in yard.runs_told] == ["unavailable", "back"]
    assert place.aside() == []


async def test_what_was_under_way_waits_for_a_place_that_cannot_be_used_at_the_start(place: Place) -> None:
    place.chest.held = {"two": asyncio.Event()}
    async with place.opened() as yard:
        record = await approved(yard, "one two three")
        await until(lambda: "two" in place.chest.reached)
    kept = place.file.with_name("kept")
    place.file.rename(kept)
    place.file.mkdir()
    place.chest.held = {}
    async with place.opened() as yard:
        await until(lambda: [told.kind for told in yard.runs_told] == ["unavailable"])
        assert (await yard.record(record.id)).state is State.RUNNING
        place.file.rmdir()
        kept.rename(place.file)
        await yard.reaches(record.id, State.DONE)
    assert place.chest.reached == ["one", "two", "two", "three"], "it went on where it was"
