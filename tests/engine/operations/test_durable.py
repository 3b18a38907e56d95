"""The real place where runs live, on each kind of database."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from pydantic import JsonValue

from bot.engine.operations.durable import DbosRuns, Journal, Run, runs_url
from tests.engine.support import CEILING_SECONDS

RUN = Run(7, "a" * 64)


async def over(runs: DbosRuns, run: Run) -> None:
    """Wait until that run is."""
    async with asyncio.timeout(CEILING_SECONDS):
        while not await runs.is_over(run):  # noqa: ASYNC110 - as in `until`
            await asyncio.sleep(0.02)


async def test_a_run_does_each_step_once_however_often_it_is_started(store_url: str) -> None:
    done: list[str] = []

    async def body(run: Run, journal: Journal) -> None:
        async def step(name: str) -> JsonValue:
            done.append(name)
            return name

        for name in ("one", "two"):
            assert await journal.once(name, partial(step, name)) == name

    runs = DbosRuns(store_url, body)
    try:
        assert not await runs.is_over(RUN)
        await runs.start(RUN)
        await runs.start(RUN)
        await over(runs, RUN)
        await runs.start(RUN)
        assert done == ["one", "two"]
        await runs.forget(RUN)
        assert not await runs.is_over(RUN)
        await runs.forget(Run(8, "b" * 64))
    finally:
        await runs.close()


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite://"])
def test_runs_need_a_database_that_outlives_the_process(url: str) -> None:
    with pytest.raises(ValueError, match="outlives"):
        runs_url(url)
