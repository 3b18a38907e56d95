"""The real place where runs live, on each kind of database."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from pydantic import JsonValue

from bot.engine.operations.broken_runs import put_aside
from bot.engine.operations.durable import (
    DbosRuns,
    Journal,
    Run,
    RunsBroken,
    RunsUnavailable,
    runs_url,
)
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


def spoiled(file: Path, how: str) -> bytes:
    """The file with garbage in it; that."""
    file.parent.mkdir(exist_ok=True)
    garbage = random.Random(how).randbytes(200_000)  # noqa: S311 - no secret
    known = file.read_bytes() if file.exists() else b""
    file.write_bytes({"all": garbage, "pages": known[:4096] + garbage, "cut": known[: len(known) // 2]}[how])
    return file.read_bytes()


async def kept(url: str, runs: dict[Run, str]) -> None:
    """Leave a file behind in which those runs are over."""

    async def body(run: Run, journal: Journal) -> None:
        async def step() -> JsonValue:
            return runs[run]

        await journal.once("one", step)

    durable = DbosRuns(url, body)
    for run in runs:
        await durable.start(run)
        await over(durable, run)
    await durable.close()


@pytest.mark.parametrize("how", ["all", "pages", "cut"])
async def test_a_damaged_file_is_found_put_aside_as_it_is_and_replaced(tmp_path: Path, how: str) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}"
    await kept(url, {Run(number, "b" * 64): "x" * 2000 for number in range(1, 9)})
    garbage = spoiled(tmp_path / "guardian-runs.db", how)
    done: list[int] = []

    async def body(run: Run, journal: Journal) -> None:
        done.append(run.number)

    at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    runs = DbosRuns(url, body, lambda: at)
    try:
        with pytest.raises(RunsBroken) as broken:
            await runs.start(RUN)
        assert broken.value.file == tmp_path / "guardian-runs.db"
        with pytest.raises(RunsBroken):
            await runs.ready()
        assert (tmp_path / "guardian-runs.db").read_bytes() == garbage, "nobody has touched it"
        aside = await runs.start_anew()
        assert aside == tmp_path / "guardian-runs.db.broken-20260301T090000Z"
        assert aside.read_bytes() == garbage
        await runs.ready()
        await runs.start(RUN)
        await over(runs, RUN)
        assert done == [7]
    finally:
        await runs.close()


def test_a_second_damaged_file_does_not_replace_the_first(tmp_path: Path) -> None:
    file, at = tmp_path / "runs.db", datetime(2026, 3, 1, 9, tzinfo=UTC)
    names: list[str] = []
    for content in ("one", "two", "three"):
        file.write_text(content)
        file.with_name("runs.db-wal").write_text(f"{content} beside")
        names.append(put_aside(file, at).name)
    stamp = "runs.db.broken-20260301T090000Z"
    assert names == [stamp, f"{stamp}-2", f"{stamp}-3"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        stamp: "one",
        f"{stamp}-wal": "one beside",
        f"{stamp}-2": "two",
        f"{stamp}-2-wal": "two beside",
        f"{stamp}-3": "three",
        f"{stamp}-3-wal": "three beside",
    }


async def test_what_is_no_damage_is_not_put_aside(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}"
    (tmp_path / "guardian-runs.db").mkdir()

    async def body(run: Run, journal: Journal) -> None:
        """Nothing."""

    runs = DbosRuns(url, body)
    try:
        with pytest.raises(RunsUnavailable):
            await runs.start(RUN)
        (tmp_path / "guardian-runs.db").rmdir()
        await runs.start(RUN)
        await over(runs, RUN)
    finally:
        await runs.close()


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite://"])
def test_runs_need_a_database_that_outlives_the_process(url: str) -> None:
    with pytest.raises(ValueError, match="outlives"):
        runs_url(url)
