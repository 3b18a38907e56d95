"""Readings thinned, buffered, written, pruned."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from structlog.typing import EventDict

from bot.engine.history import KEEP_LETTERS, KEEP_READINGS, PRUNE_EVERY, History
from bot.store.changes import LetterSent, NewLetter
from bot.store.database import Database
from bot.store.store import Store
from probes.base import ProblemKind, Reading, Unit, measured, unmeasured
from tests.engine.support import Disk, SetClock
from tests.factories import T0, at, letter


def reading(seconds: float, value: float | None = 1.0, target: str = "web-1") -> Reading:
    if value is None:
        return unmeasured("cpu_usage", target, Unit.PERCENT, at(seconds), ProblemKind.TIMEOUT)
    return measured("cpu_usage", target, value, Unit.PERCENT, at(seconds))


async def written(url: str) -> list[tuple[str, float | None]]:
    database = await Database.open(url)
    try:
        async with database.read() as connection:
            rows = await connection.execute(text("SELECT target, value FROM readings ORDER BY id"))
            return [(row.target, row.value) for row in rows]
    finally:
        await database.close()


async def test_a_series_has_one_reading_in_thirty_seconds(
    store: Store, store_url: str, clock: SetClock
) -> None:
    history = History(store, clock)
    for seconds in range(0, 91, 10):
        history.add("cpu:web-1", [reading(seconds, float(seconds)), reading(seconds, None, "web-2")])
    await history.flush()
    assert await written(store_url) == [
        (target, value)
        for seconds in (0, 30, 60, 90)
        for target, value in (("web-1", float(seconds)), ("web-2", None))
    ]
    await history.flush()
    assert len(await written(store_url)) == 8, "nothing is written twice"


async def test_a_clock_that_stepped_back_makes_no_gap(store: Store, store_url: str, clock: SetClock) -> None:
    history = History(store, clock)
    for seconds in (3600, 0, 29, 30):
        history.add("cpu:web-1", [reading(seconds, float(seconds % 100))])
    await history.flush()
    assert [value for _, value in await written(store_url)] == [0.0, 0.0, 30.0]


async def test_it_keeps_readings_while_the_database_is_down(
    store: Store, store_url: str, clock: SetClock, disk: Disk
) -> None:
    history = History(store, clock)
    history.add("cpu:web-1", [reading(0, 1.0)])
    disk.read_only = True
    await history.flush()
    history.add("cpu:web-1", [reading(30, 2.0)])
    await history.flush()
    disk.read_only = False
    assert await written(store_url) == []
    await history.flush()
    assert await written(store_url) == [("web-1", 1.0), ("web-1", 2.0)]


async def test_readings_that_can_never_be_written_end_nothing(
    store: Store, store_url: str, clock: SetClock, logs: list[EventDict]
) -> None:
    history = History(store, clock)
    wrong = reading(0, 1.0)
    object.__setattr__(wrong, "target", "\ud800")  # past all cleaning: no driver takes that
    history.add("cpu:web-1", [wrong])
    await history.flush()
    history.add("cpu:web-1", [reading(30, 2.0)])
    await history.flush()
    assert await written(store_url) == [("web-1", 2.0)]
    assert [entry["event"] for entry in logs] == ["history_cannot_be_written"]


async def test_of_a_long_outage_the_newest_are_kept(
    small_store: Store, tmp_path: object, clock: SetClock, disk: Disk
) -> None:
    history = History(small_store, clock)
    disk.read_only = True
    for number in range(20_500):
        history.add("cpu:web-1", [reading(30 * number, float(number % 100), f"t{number}")])
        if number % 5000 == 0:
            await history.flush()
    disk.read_only = False
    await history.flush()
    targets = [target for target, _ in await written(f"sqlite+aiosqlite:///{tmp_path}/guardian.db")]
    assert targets == [f"t{number}" for number in range(500, 20_500)]


async def test_what_is_old_is_deleted_now_and_then(store: Store, store_url: str, clock: SetClock) -> None:
    history = History(store, clock)
    history.add("cpu:web-1", [reading(0)])
    await store.write([NewLetter(letter(1)), NewLetter(letter(2)), LetterSent(1, T0, "1.0", None)])
    await history.flush()
    clock.now = T0 + KEEP_READINGS + timedelta(seconds=1)
    await history.flush()
    assert await written(store_url) == []
    assert await store.last_ids() == (0, 2)
    clock.now = T0 + KEEP_LETTERS + timedelta(seconds=1)
    await history.flush()
    assert await store.queued_letters() == [letter(2)], "what is unsent is never old"


async def test_pruning_is_not_done_at_every_flush(store: Store, store_url: str, clock: SetClock) -> None:
    history = History(store, clock)
    await history.flush()
    history.add("cpu:web-1", [reading(-KEEP_READINGS.total_seconds() - 60)])
    await history.flush()
    assert len(await written(store_url)) == 1
    clock.now += PRUNE_EVERY
    await history.flush()
    assert await written(store_url) == []
