"""Runs alone: an operation of STEPS steps that do nothing, by the runner and with durable runs, in FOLDER."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from bot.domain.operations.approval import State
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.domain.operations.record import OperationRecord, Problem
from bot.engine.clock import utc_now
from bot.engine.operations.contract import Work
from bot.engine.operations.durable import DbosRuns, Run
from bot.engine.operations.runner import Runner
from bot.logs import configure_logs
from bot.store.database import Database
from bot.store.operations import OperationStore


class _Nothing:
    """An operation that notes when it came to each step, and does nothing there."""

    name = "nothing"

    def __init__(self) -> None:
        self.reached: list[float] = []

    async def plan(self, request: JsonObject, at: object) -> Plan:
        raise NotImplementedError

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        self.reached.append(time.perf_counter())
        return {}

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        raise NotImplementedError


async def _run(folder: Path, steps: int) -> dict[str, list[float]]:
    url = f"sqlite+aiosqlite:///{folder / 'guardian.db'}"
    database = await Database.open(url)
    store, operation, over = OperationStore(database), _Nothing(), asyncio.Event()

    async def ended(record: OperationRecord, state: State, problem: Problem | None) -> None:
        if state is not State.DONE:
            raise ValueError(f"{state}: {problem}")
        over.set()

    now = utc_now()
    plan = Plan("nothing", "bench", now, tuple(Step(f"step {number}") for number in range(steps)))
    until = now + timedelta(hours=1)
    record = OperationRecord(1, plan, plan.hash, {}, State.RUNNING, "bench", "U1", now, until)
    await store.write(store.adding(record))
    runner = Runner(
        store, {"nothing": operation}, utc_now, lambda number: None, ended, lambda number, name, text: None
    )
    runs = DbosRuns(url, runner.body)
    began = time.perf_counter()
    await runs.start(Run(1, plan.hash))
    await over.wait()
    last = time.perf_counter()
    await runs.close()
    await database.close()
    moments = [*operation.reached, last]
    return {"first": [moments[0] - began], "steps": [after - before for before, after in pairwise(moments)]}


if __name__ == "__main__":
    configure_logs("info", "console")
    print(json.dumps(asyncio.run(_run(Path(sys.argv[1]), int(sys.argv[2])))))
