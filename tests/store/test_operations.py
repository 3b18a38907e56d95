"""Changes of state that race: from many processes on one file, and along every arrow."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.operations.approval import ARROWS, OPEN, State
from bot.domain.operations.plan import Plan, Step
from bot.domain.operations.record import OperationRecord
from bot.store.database import Database
from bot.store.operation_locks import LockStore
from bot.store.operations import OperationStore
from tests.factories import T0

PROCESSES, OPERATIONS = 4, 60


def record(number: int, state: State = State.PENDING) -> OperationRecord:
    plan = Plan("chest", "subject", T0, (Step("put", {"word": str(number)}),))
    until = T0 + timedelta(minutes=15)
    return OperationRecord(number, plan, plan.hash, {}, state, "ops", "U1", T0, until)


async def race(url: str, seed: int, all_there: asyncio.Barrier) -> tuple[list[int], list[int]]:
    """A process that has opened the database and waits for the others; what it won."""
    pipe = asyncio.subprocess.PIPE
    arguments = ["-m", "tests.store.racing", url, str(seed), str(OPERATIONS)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    await all_there.wait()
    said, complaints = await process.communicate(b"go\n")
    assert process.returncode == 0, complaints.decode()
    approved, started = json.loads(said)
    return approved, started


async def test_clicks_from_many_processes_have_one_winner_each_and_one_run_gets_the_lock(
    tmp_path: Path,
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}"
    database = await Database.open(url)
    store = OperationStore(database)
    for number in range(1, OPERATIONS + 1):
        await store.write(store.adding(record(number)))
    all_there = asyncio.Barrier(PROCESSES)
    won = await asyncio.gather(*(race(url, seed, all_there) for seed in range(PROCESSES)))
    after = await store.latest(OPERATIONS)
    locks = await LockStore(database).held(T0)
    await database.close()
    winners = {number: f"U{seed}" for seed, (approved, _) in enumerate(won) for number in approved}
    assert sum(len(approved) for approved, _ in won) == len(winners) == OPERATIONS
    assert {each.id: each.decided_by for each in after} == winners
    (started,) = [number for _, numbers in won for number in numbers]
    assert [each.id for each in after if each.state is State.RUNNING] == [started]
    assert [(lock.run, lock.token) for lock in locks] == [(started, 1)]


@pytest.mark.parametrize(
    ("before", "after"), [(before, after) for before in ARROWS for after in sorted(ARROWS[before])]
)
async def test_every_arrow_is_walked_once(database: Database, before: State, after: State) -> None:
    store = OperationStore(database)
    await store.write(store.adding(record(1, before)))
    tries = await asyncio.gather(*(store.write(store.moving(1, [before], after)) for _ in range(3)))
    assert sorted(tries) == [False, False, True]
    found = await store.get(1)
    assert found is not None
    assert found.state is after
    assert [each.id for each in await store.open()] == ([1] if after in OPEN else [])
