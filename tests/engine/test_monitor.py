"""Whatever a probe does, it costs that probe a reading and nobody else anything."""

from __future__ import annotations

import asyncio
import math
import os
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Never

import pytest
from structlog.typing import EventDict

from bot.domain.alerts.model import Alert, Condition
from bot.domain.levels import Level
from bot.engine.board import Board
from bot.engine.desk import AlertDesk
from bot.engine.history import History
from bot.engine.ledger import Ledger
from bot.engine.monitor import Monitor
from bot.engine.outbox import Outbox
from bot.store.store import Store
from probes.base import Probe, ProblemKind, Reading, Unit, measured, unmeasured
from tests.engine.probes import Blocking, Waiting, percent
from tests.engine.support import QUICK, FakeSlack, SetClock, until
from tests.engine.watching import CpuRules

SHORT = timedelta(milliseconds=50)
Kind = type[Blocking] | type[Waiting]
BOTH = pytest.mark.parametrize("kind", [Blocking, Waiting])


@dataclass
class Watch:
    """A monitor with everything behind it."""

    monitor: Monitor
    desk: AlertDesk
    board: Board
    clock: SetClock

    async def check(self, probe: Probe, times: int = 1) -> bool:
        """Checks 15 s apart; whether the next should come soon."""
        counting = False
        for _ in range(times):
            self.clock.forward(seconds=15)
            counting = await self.monitor.check(probe)
        return counting

    def open(self) -> list[tuple[str, str]]:
        """What is open: condition and target."""
        return [(each.subject.condition.value, each.subject.target) for each in self.desk.open()]

    def last(self, name: str = "cpu") -> Reading:
        """The latest reading of the only probe."""
        return next(iter(self.board.values()))


@pytest.fixture
async def begin(small_store: Store, clock: SetClock) -> AsyncIterator[Callable[..., Watch]]:
    ledger = Ledger(small_store, clock)
    outbox = Outbox(ledger, FakeSlack(), clock, QUICK)
    await outbox.load()
    rules = CpuRules()
    desk = AlertDesk(ledger, outbox, clock, "guardian-alerts", rules)
    await desk.load()
    opened: list[Blocking] = []

    def begin(*probes: Probe) -> Watch:
        opened.extend(probe for probe in probes if isinstance(probe, Blocking))
        board = Board(probes, rules)
        monitor = Monitor(desk, board, History(small_store, clock), clock, "test", rules)
        return Watch(monitor, desk, board, clock)

    yield begin
    for probe in opened:
        probe.gate.set()  # no thread outlives its test


def the(watch: Watch, condition: Condition) -> Alert:
    return next(each for each in watch.desk.open() if each.subject.condition is condition)


@BOTH
async def test_a_value_becomes_a_reading_and_an_alert(begin: Callable[..., Watch], kind: Kind) -> None:
    probe = kind(percent(95))
    watch = begin(probe)
    assert await watch.check(probe), "pending: the next check should come soon"
    assert watch.open() == []
    assert not await watch.check(probe)
    assert watch.open() == [("threshold", "web-1")]
    assert (watch.last().value, watch.board.failing) == (95, 0)
    probe.answer = percent(10)
    assert await watch.check(probe), "clearing: the next check should come soon"
    assert not await watch.check(probe)
    assert watch.open() == []


def _raises(error: BaseException) -> Callable[[datetime], Never]:
    def answer(at: datetime) -> Never:
        raise error

    return answer


@BOTH
@pytest.mark.parametrize(
    ("error", "kind_of_problem", "detail"),
    [
        (ValueError("no such sensor"), ProblemKind.FAILED, "ValueError: no such sensor"),
        (KeyError(), ProblemKind.FAILED, "KeyError"),
        (RuntimeError("x" * 10_000), ProblemKind.FAILED, "RuntimeError: " + "x" * 286),
        (StopIteration(), ProblemKind.FAILED, None),
        (TimeoutError("the bus is asleep"), ProblemKind.TIMEOUT, "the bus is asleep"),
        (asyncio.CancelledError(), ProblemKind.FAILED, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_a_probe_that_throws_is_a_missed_check(
    begin: Callable[..., Watch],
    kind: Kind,
    error: BaseException,
    kind_of_problem: ProblemKind,
    detail: str | None,
) -> None:
    probe = kind(_raises(error))
    watch = begin(probe)
    await watch.check(probe)
    problem = watch.last().problem
    assert problem is not None
    assert problem.kind is kind_of_problem
    assert detail is None or problem.detail == detail
    assert watch.board.failing == 1
    await watch.check(probe, 2)
    assert watch.open() == [("no_data", "web-1")]
    assert the(watch, Condition.NO_DATA).level is Level.ERROR
    probe.answer = percent(10)
    await watch.check(probe, 2)
    assert watch.open() == []


async def test_a_thread_that_ends_the_program_ends_nothing(begin: Callable[..., Watch]) -> None:
    probe = Blocking(_raises(SystemExit(3)))
    watch = begin(probe)
    await watch.check(probe)
    problem = watch.last().problem
    assert problem is not None
    assert "SystemExit" in problem.detail


NONSENSE: list[object] = [
    None,
    95.0,
    [95.0],
    (),
    "readings",
    [Reading("cpu_usage", "web-1", math.nan, Unit.PERCENT, datetime.fromisoformat("2026-03-01T00:00Z"))],
    [Reading("cpu_usage", "web-1", math.inf, Unit.PERCENT, datetime.fromisoformat("2026-03-01T00:00Z"))],
    [Reading("memory_usage", "web-1", 5.0, Unit.PERCENT, datetime.fromisoformat("2026-03-01T00:00Z"))],
    [Reading("cpu_usage", "web-1", "95", Unit.PERCENT, datetime.fromisoformat("2026-03-01T00:00Z"))],  # type: ignore[arg-type]  # nonsense is the point
    [Reading("cpu_usage", "web-1", True, Unit.PERCENT, datetime.fromisoformat("2026-03-01T00:00Z"))],
]


@BOTH
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: repr(value)[:60])
async def test_nonsense_is_no_reading(begin: Callable[..., Watch], kind: Kind, nonsense: object) -> None:
    probe = kind(lambda at: nonsense)  # type: ignore[arg-type,return-value]  # nonsense is the point
    watch = begin(probe)
    await watch.check(probe)
    readings = list(watch.board.values())
    assert [reading.value for reading in readings] == [None, None]
    assert {reading.metric for reading in readings} == {"cpu_usage", "cpu_steal"}
    assert {reading.problem.kind for reading in readings if reading.problem} == {ProblemKind.NONSENSE}
    await watch.check(probe, 2)
    assert watch.open() == [("no_data", "web-1")]


async def test_something_that_cannot_be_read_is_a_failed_probe(begin: Callable[..., Watch]) -> None:
    probe = Blocking(percent(1))
    broken = type("Broken", (), {name: getattr(probe, name) for name in ("name", "layer", "metrics")})()
    broken.target, broken.interval, broken.timeout = probe.target, probe.interval, probe.timeout
    watch = begin(broken)
    await watch.check(broken)
    problem = watch.last().problem
    assert problem is not None
    assert problem.detail == "TypeError: Broken has no read"


async def test_a_hanging_probe_delays_nobody_and_costs_one_thread(begin: Callable[..., Watch]) -> None:
    hanging = Blocking(percent(95, "hanging"), "hanging", timeout=SHORT)
    healthy = Blocking(percent(95, "healthy"), "healthy")
    hanging.gate.clear()
    watch = begin(hanging, healthy)
    for _ in range(4):
        await watch.check(hanging)
        await watch.check(healthy)
    assert hanging.reads == 1, "no second call while the first one hangs"
    await until(lambda: sum(thread.name == "probe-cpu" for thread in threading.enumerate()) == 1)
    assert ("threshold", "healthy") in watch.open()
    assert ("no_data", "hanging") in watch.open()
    problem = the(watch, Condition.NO_DATA).problem
    assert problem is not None
    assert problem.detail == "the last check still hangs"
    hanging.timeout = healthy.timeout
    hanging.gate.set()
    await until(lambda: not any(thread.name == "probe-cpu" for thread in threading.enumerate()))
    await watch.check(hanging, 2)
    assert hanging.reads == 3
    assert ("threshold", "hanging") in watch.open(), "it measures again"


async def test_a_hanging_probe_in_the_loop_is_cancelled_and_tried_again(begin: Callable[..., Watch]) -> None:
    probe = Waiting(percent(95), timeout=SHORT)
    probe.gate.clear()
    watch = begin(probe)
    await watch.check(probe, 3)
    assert probe.reads == 3
    problem = the(watch, Condition.NO_DATA).problem
    assert problem is not None
    assert (problem.kind, problem.detail) == (ProblemKind.TIMEOUT, "0.05 s")


async def test_one_check_of_a_probe_at_a_time(begin: Callable[..., Watch]) -> None:
    probe = Waiting(percent(95))
    probe.gate.clear()
    watch = begin(probe)
    first = asyncio.create_task(watch.monitor.check(probe))
    await until(lambda: probe.reads == 1)
    assert not await watch.monitor.check(probe)
    probe.gate.set()
    await first
    assert probe.reads == 1
    assert await watch.check(probe, 1) is False
    assert probe.reads == 2


async def test_a_check_that_is_cancelled_leaves_the_probe_readable(begin: Callable[..., Watch]) -> None:
    probe = Waiting(percent(10))
    probe.gate.clear()
    watch = begin(probe)
    check = asyncio.create_task(watch.monitor.check(probe))
    await until(lambda: probe.reads == 1)
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    probe.gate.set()
    await watch.check(probe)
    assert watch.last().value == 10


async def test_a_target_that_is_measured_in_part_is_not_blind(begin: Callable[..., Watch]) -> None:
    def in_part(at: datetime) -> list[Reading]:
        return [
            unmeasured("cpu_steal", "web-1", Unit.PERCENT, at, ProblemKind.UNSUPPORTED),
            measured("cpu_usage", "web-1", 95, Unit.PERCENT, at),
        ]

    probe = Blocking(in_part)
    watch = begin(probe)
    await watch.check(probe, 4)
    assert watch.open() == [("threshold", "web-1")]


async def test_of_two_targets_each_is_judged_by_itself(begin: Callable[..., Watch]) -> None:
    def two(at: datetime) -> list[Reading]:
        return [
            measured("cpu_usage", "a", 95, Unit.PERCENT, at),
            unmeasured("cpu_usage", "b", Unit.PERCENT, at, ProblemKind.NOT_FOUND, "gone"),
        ]

    probe = Blocking(two)
    watch = begin(probe)
    await watch.check(probe, 3)
    assert sorted(watch.open()) == [("no_data", "b"), ("threshold", "a")]


async def test_names_that_are_not_unicode_are_watched_like_others(
    begin: Callable[..., Watch], small_store: Store
) -> None:
    """As a mount's whose name is not UTF-8, or a process's."""
    name = os.fsdecode(b"web-1:/mnt/\xff")
    facts = {"largest": name}
    probe = Blocking(lambda at: [measured("cpu_usage", name, 95, Unit.PERCENT, at, facts)])
    watch = begin(probe)
    await watch.check(probe, 2)
    shown = "web-1:/mnt/\N{REPLACEMENT CHARACTER}"
    assert watch.open() == [("threshold", shown)]
    stored = await small_store.alert(1)
    assert stored is not None
    assert (stored.subject.target, stored.facts) == (shown, {"largest": shown})
    probe.answer = _raises(OSError(name))
    await watch.check(probe, 3)
    problem = the(watch, Condition.NO_DATA).problem
    assert problem is not None
    assert problem.detail == f"OSError: {shown}"


async def test_the_alerts_of_a_target_that_is_no_longer_named_end(begin: Callable[..., Watch]) -> None:
    """A tunnel that was closed: one check without it may be chance, three are not."""
    bad = [percent(95, "tun0"), percent(95, "eth0")]
    probe = Blocking(lambda at: [reading for answer in bad for reading in answer(at)])
    watch = begin(probe)
    await watch.check(probe, 2)
    tunnel = bad.pop(0)
    await watch.check(probe, 2)
    bad.insert(0, tunnel)
    await watch.check(probe)
    bad.remove(tunnel)
    await watch.check(probe, 2)
    assert sorted(watch.open()) == [("threshold", "eth0"), ("threshold", "tun0")]
    await watch.check(probe)
    assert watch.open() == [("threshold", "eth0")]


async def test_an_alert_about_missing_data_ends_with_its_target(begin: Callable[..., Watch]) -> None:
    def blind(at: datetime) -> list[Reading]:
        return [unmeasured("cpu_usage", "b", Unit.PERCENT, at, ProblemKind.NOT_FOUND)]

    probe = Blocking(blind)
    watch = begin(probe)
    await watch.check(probe, 3)
    assert watch.open() == [("no_data", "b")]
    probe.answer = lambda at: []
    await watch.check(probe, 3)
    assert watch.open() == []


async def test_when_the_whole_probe_fails_its_finer_targets_stay_as_they_are(
    begin: Callable[..., Watch],
) -> None:
    probe = Blocking(percent(95, "a"))
    watch = begin(probe)
    await watch.check(probe, 2)
    probe.answer = _raises(OSError("gone"))
    await watch.check(probe, 5)
    assert sorted(watch.open()) == [("no_data", "web-1"), ("threshold", "a")]


async def test_a_failing_probe_is_logged_when_it_begins_and_when_it_ends(
    begin: Callable[..., Watch], logs: list[EventDict]
) -> None:
    probe = Blocking(_raises(ValueError("x")))
    watch = begin(probe)
    await watch.check(probe, 5)
    probe.answer = percent(10)
    await watch.check(probe, 5)
    told = [entry["event"] for entry in logs if str(entry["event"]).startswith("probe_")]
    assert told == ["probe_failed", "probe_cannot_measure", "probe_measures_again"]
