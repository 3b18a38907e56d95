"""Real durable runs: whatever moment the process is killed at, the run goes on at its step, or is undone."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from bot.domain.audit_faults import verify
from bot.domain.operations.approval import State
from bot.store.audit import AuditStore
from bot.store.database import Database
from bot.store.operation_locks import LockStore
from bot.store.operations import OperationStore
from tests.engine.operations import killing
from tests.engine.operations.killed import WORDS
from tests.factories import T0

PROGRAM = "tests.engine.operations.killed"


async def until_killed(folder: Path, fail: str, seconds: float | None, what: str = "one") -> str | None:
    """Start the program; kill it so long after it has begun. How it ended, None if it was killed."""
    return await killing.until_killed(PROGRAM, str(folder), fail, what, seconds=seconds)


def delete(folder: Path, files_of: str) -> int:
    """Such files are gone; how many that were."""
    files = list(folder.glob(files_of))
    for file in files:
        file.unlink()
    return len(files)


async def look(folder: Path, fail: str) -> None:
    """Everything is as if nobody had been killed."""
    url = f"sqlite+aiosqlite:///{folder / 'guardian.db'}"
    database = await Database.open(url)
    try:
        (record,) = await OperationStore(database).latest(10)
        entries = [each async for each in AuditStore(database).entries()]
        locks = await LockStore(database).held(T0)
    finally:
        await database.close()
    words = sorted(path.name for path in (folder / "chest").iterdir())
    assert (record.state, words) == (
        (State.DONE, sorted(WORDS.split())) if fail == "-" else (State.UNDONE, [])
    )
    assert verify(entries).is_whole
    assert Counter(each.action for each in entries) == Counter(
        ["operation.ask", "operation.approve", "operation.start", "operation.end"]
    )
    assert locks == []
    journal = [line.split() for line in (folder / "journal").read_text().splitlines()]
    # Whoever goes on does so once: no process did anything twice.
    assert set(Counter(map(tuple, journal)).values()) == {1}
    begun = [word for what, word, _ in journal if what == "begin"]
    # Whatever was done over and over, the order is the plan's, and nobody began what was over.
    firsts = list(dict.fromkeys(begun))
    expected = WORDS.split() if fail == "-" else WORDS.split()[: WORDS.split().index(fail) + 1]
    assert firsts == expected
    assert [begun.index(word) for word in firsts] == sorted(begun.index(word) for word in firsts)


async def kill_over_and_over(folder: Path, fail: str, chance: random.Random) -> int:
    """Kill at random moments until it comes to an end; how often it was killed."""
    for kills in range(12):
        # The whole takes a quarter of a second; a run that goes on begins a second after the start.
        said = await until_killed(folder, fail, chance.uniform(0.0, 1.5 if kills else 0.15))
        if said is not None:
            assert said.startswith("over")
            return kills
    said = await until_killed(folder, fail, None)
    assert said is not None
    assert said.startswith("over")
    return 12


@pytest.mark.parametrize("fail", ["-", "four"])
async def test_a_run_that_is_killed_at_random_moments_comes_to_its_end(tmp_path: Path, fail: str) -> None:
    kills = await kill_over_and_over(tmp_path, fail, random.Random(f"sample {fail}"))  # noqa: S311 - no secret
    assert kills > 0
    await look(tmp_path, fail)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(20))
async def test_many_runs_that_are_killed_at_random_moments(tmp_path: Path, number: int) -> None:
    fail = "four" if number % 3 == 2 else "-"
    await kill_over_and_over(tmp_path, fail, random.Random(number))  # noqa: S311 - no secret
    await look(tmp_path, fail)


async def kill_among_many(folder: Path, chance: random.Random, kills: int) -> None:
    """Kill at random moments while plans are made, approved and started; then all that was approved was done,
    once, and nothing else."""
    for _ in range(kills):
        assert await until_killed(folder, "-", chance.uniform(0.0, 0.7), "many") is None
    assert await until_killed(folder, "-", None, "rest") == "over"
    database = await Database.open(f"sqlite+aiosqlite:///{folder / 'guardian.db'}")
    try:
        records = await OperationStore(database).latest(10_000)
        entries = [each async for each in AuditStore(database).entries()]
        locks = await LockStore(database).held(T0)
    finally:
        await database.close()
    approved = {each.id for each in records if each.decided_by is not None}
    states = {each.id: each.state for each in records}
    assert states == {each.id: State.DONE if each.id in approved else State.PENDING for each in records}
    assert {path.name for path in (folder / "chest").iterdir()} == {f"word-{number}" for number in approved}
    assert verify(entries).is_whole
    deeds = Counter((each.action, each.subject) for each in entries)
    assert deeds == Counter(
        [("operation.ask", f"operation:{each.id}") for each in records]
        + [
            (f"operation.{action}", f"operation:{number}")
            for number in approved
            for action in ("approve", "start", "end")
        ]
    )
    assert locks == []


async def test_what_was_approved_is_started_in_the_end_and_nothing_else_ever(tmp_path: Path) -> None:
    await kill_among_many(tmp_path, random.Random("sample"), 4)  # noqa: S311 - no secret
    assert any((tmp_path / "chest").iterdir())


@pytest.mark.soak
@pytest.mark.parametrize("number", range(20))
async def test_a_hundred_kills_between_question_approval_and_start(tmp_path: Path, number: int) -> None:
    await kill_among_many(tmp_path, random.Random(number), 5)  # noqa: S311 - no secret


@pytest.mark.parametrize("what", ["close", "close-thread"])
async def test_a_process_that_ends_in_the_middle_of_a_step_leaves_the_run_to_go_on(
    tmp_path: Path, what: str
) -> None:
    assert await until_killed(tmp_path, "-", None, what) == "closing"
    assert await until_killed(tmp_path, "-", None) == "over done"
    await look(tmp_path, "-")
    journal = (tmp_path / "journal").read_text()
    assert "undone" not in journal
    begun = Counter(line.split()[1] for line in journal.splitlines() if line.startswith("begin"))
    assert begun == Counter([*WORDS.split(), "three"])


async def test_a_run_whose_journal_is_gone_starts_anew_and_comes_to_its_end(tmp_path: Path) -> None:
    assert await until_killed(tmp_path, "-", None, "close") == "closing"
    assert delete(tmp_path, "guardian-runs.db*") > 0
    assert await until_killed(tmp_path, "-", None) == "over done"
    await look(tmp_path, "-")


async def test_a_journal_that_is_older_than_the_database_starts_nothing_and_skips_nothing(
    tmp_path: Path,
) -> None:
    assert await until_killed(tmp_path, "-", None, "close") == "closing"
    assert delete(tmp_path, "guardian.db*") > 0
    assert delete(tmp_path / "chest", "*") == 2
    assert delete(tmp_path, "journal") == 1
    # Two operations that get the numbers of the old one and the next; the first is approved by nobody.
    assert await until_killed(tmp_path, "-", None, "second") == "over done"
    assert [path.name for path in (tmp_path / "chest").iterdir()] == ["second"]
    assert delete(tmp_path, "guardian.db*") > 0
    assert delete(tmp_path / "chest", "*") == 1
    assert delete(tmp_path, "journal") == 1
    assert await until_killed(tmp_path, "-", None) == "over done"
    await look(tmp_path, "-")
