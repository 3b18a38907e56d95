"""When each probe is read, by the real scheduler."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from bot.engine.board import Board
from bot.engine.clock import utc_now
from bot.engine.desk import AlertDesk
from bot.engine.history import History
from bot.engine.ledger import Ledger
from bot.engine.monitor import Monitor
from bot.engine.outbox import Outbox
from bot.engine.schedule import Schedule
from bot.store.store import Store
from probes.base import Probe, Reading
from tests.engine.probes import Answer, Blocking, Waiting, percent
from tests.engine.support import QUICK, FakeSlack, until
from tests.engine.watching import CpuRules

HOUR = timedelta(hours=1)
BRIEF = timedelta(milliseconds=100)


class Shifted:
    """The real clock, some time off: the scheduler beneath goes by the real one."""

    def __init__(self) -> None:
        self.off = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.off


@asynccontextmanager
async def watching(
    store: Store,
    probes: Sequence[Probe],
    retry_after: timedelta = HOUR,
    clock: Shifted | None = None,
) -> AsyncIterator[tuple[Schedule, AlertDesk]]:
    now = clock or Shifted()
    ledger = Ledger(store, now)
    outbox = Outbox(ledger, FakeSlack(), now, QUICK)
    rules = CpuRules()
    desk = AlertDesk(ledger, outbox, now, "guardian-alerts", rules)
    monitor = Monitor(desk, Board(probes, rules), History(store, now), now, "test", rules, retry_after)
    schedule = Schedule(monitor, probes, now, retry_after, look_at_clock_every=timedelta(milliseconds=20))
    schedule.start()
    try:
        yield schedule, desk
    finally:
        await schedule.stop()


async def test_the_first_round_is_at_once_and_then_each_at_its_interval(small_store: Store) -> None:
    often, seldom = Waiting(percent(10), "often", BRIEF), Waiting(percent(10), "seldom", HOUR)
    async with watching(small_store, [often, seldom]):
        await until(lambda: seldom.reads == 1)
        await until(lambda: often.reads >= 5)
        assert seldom.reads == 1


async def test_a_thousand_probes_are_all_read_and_then_spread(small_store: Store) -> None:
    times: dict[str, list[float]] = defaultdict(list)

    def answer(target: str) -> Answer:
        def note(at: datetime) -> list[Reading]:
            times[target].append(asyncio.get_running_loop().time())
            return percent(10, target)(at)

        return note

    interval = timedelta(seconds=2)
    targets = [f"web-{number}" for number in range(1000)]
    probes = [Waiting(answer(target), target, interval) for target in targets]
    async with watching(small_store, probes):
        await until(lambda: all(len(times[target]) >= 2 for target in targets))
    second = [times[target][1] for target in targets]
    # A burst would take some milliseconds; slots take most of the interval, less on a machine that stalls.
    assert max(second) - min(second) >= interval.total_seconds() / 4


@pytest.mark.parametrize("kind", [Blocking, Waiting])
async def test_a_probe_that_hangs_does_not_delay_another(
    small_store: Store, kind: type[Blocking] | type[Waiting]
) -> None:
    hanging, healthy = kind(percent(10), "hanging", BRIEF), Waiting(percent(10), "healthy", BRIEF)
    hanging.gate.clear()
    async with watching(small_store, [hanging, healthy]):
        await until(lambda: healthy.reads >= 5)
        assert hanging.reads == 1
    hanging.gate.set()


async def test_a_probe_that_throws_is_read_again(small_store: Store) -> None:
    def answer(at: datetime) -> list[Reading]:
        raise ValueError("no")

    probe = Waiting(answer, interval=BRIEF)
    async with watching(small_store, [probe]):
        await until(lambda: probe.reads >= 3)


async def test_while_an_alert_counts_checks_they_come_soon(small_store: Store) -> None:
    probe = Waiting(percent(75), interval=HOUR)
    async with watching(small_store, [probe], retry_after=BRIEF) as (_, desk):
        await until(lambda: len(desk.open()) == 1)
    assert probe.reads == 3, "once it fires the interval is its own again"


async def test_a_check_that_cannot_be_judged_does_not_end_the_watch() -> None:
    probe = Waiting(percent(75), interval=BRIEF)
    broken = _BrokenStore()
    async with watching(broken, [probe]):
        await until(lambda: probe.reads >= 3)
    assert broken.asked >= 3


class _BrokenStore(Store):
    """A store with a bug."""

    def __init__(self) -> None:
        self.asked = 0

    async def write(self, changes: object) -> None:
        self.asked += 1
        raise ZeroDivisionError


async def test_a_clock_that_steps_back_does_not_blind_the_watch(small_store: Store) -> None:
    clock = Shifted()
    probe = Waiting(percent(10), interval=HOUR)
    async with watching(small_store, [probe], clock=clock):
        await until(lambda: probe.reads == 1)
        clock.off = -HOUR
        await until(lambda: probe.reads >= 2)


async def test_at_the_end_nothing_is_under_way(small_store: Store) -> None:
    probe = Waiting(percent(10), interval=BRIEF)
    probe.gate.clear()
    async with watching(small_store, [probe]):
        await until(lambda: probe.reads == 1)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left
