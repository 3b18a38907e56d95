"""The disk on which runs live is full: none of them is lost, or lies about until the next start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from pydantic import JsonValue

from bot.engine.operations import durable
from bot.engine.operations.durable import DbosRuns, Journal, Run, RunsUnavailable
from tests.engine.operations.test_durable import over
from tests.engine.support import until
from tests.small_disk import SmallDisk, small_disk

RUN = Run(7, "a" * 64)
LARGE = "y" * 20_000
"""so that it needs room that the file has not got yet"""


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    with small_disk() as made:
        yield made


def runs_on(disk: SmallDisk, done: list[str], at: Callable[[str], None]) -> DbosRuns:
    """Runs of two steps. `at` is told of each that is done, and of the end of the body."""

    async def body(run: Run, journal: Journal) -> None:
        async def step(name: str) -> JsonValue:
            done.append(name)
            at(name)
            return LARGE

        await journal.once("one", partial(step, "one"))
        await journal.once("two", partial(step, "two"))
        at("end")

    return DbosRuns(f"sqlite+aiosqlite:///{disk.folder / 'guardian.db'}", body)


async def test_a_step_that_cannot_be_kept_is_done_again_and_the_run_goes_on(disk: SmallDisk) -> None:
    done: list[str] = []
    with ExitStack() as full:

        def fill(name: str) -> None:
            if done == ["one", "two"]:
                full.enter_context(disk.full())

        runs = runs_on(disk, done, fill)
        try:
            await runs.start(RUN)
            await until(lambda: done == ["one", "two"])
            with pytest.raises(RunsUnavailable):  # as soon as it was taken down, and until there is room
                while True:
                    await runs.ready()
                    await asyncio.sleep(0.02)
            assert done == ["one", "two"]
            full.close()
            await over(runs, RUN)
            assert done == ["one", "two", "two"]
        finally:
            await runs.close()


async def test_an_end_that_cannot_be_kept_is_written_as_soon_as_there_is_room(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "_LIES_SECONDS", 0.2)
    done: list[str] = []
    ends: list[str] = []
    with ExitStack() as full:

        def fill(name: str) -> None:
            if name == "end":
                ends.append(name)
                if len(ends) == 1:
                    full.enter_context(disk.full())

        runs = runs_on(disk, done, fill)
        try:
            await runs.start(RUN)
            with pytest.raises(RunsUnavailable):  # seen lying and taken down, and until there is room
                while True:
                    assert not await runs.is_over(RUN)
                    await asyncio.sleep(0.02)
            full.close()
            await over(runs, RUN)
            assert done == ["one", "two"]
            assert len(ends) == 2
        finally:
            await runs.close()


async def test_on_a_disk_that_is_full_already_nothing_is_gone_on_with_before_there_is_room(
    disk: SmallDisk,
) -> None:
    done: list[str] = []
    reached = asyncio.Event()

    def wait(name: str) -> None:
        if name == "two":
            reached.set()
            if done.count("two") == 1:
                raise asyncio.CancelledError  # as at the end of the process

    first = runs_on(disk, done, wait)
    await first.start(RUN)
    await reached.wait()
    await first.close()
    second = runs_on(disk, done, lambda name: None)
    try:
        with disk.full(), pytest.raises(RunsUnavailable):
            await second.ready()
        assert done == ["one", "two"]
        await over(second, RUN)
        assert done == ["one", "two", "two"]
    finally:
        await second.close()
