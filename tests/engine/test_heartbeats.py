"""Heartbeats in, on each kind of database: late and failed jobs become reports, over restarts too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alerts.model import Condition
from bot.domain.heartbeats import Beat, Job
from bot.domain.levels import Level
from bot.engine.heartbeats import Heartbeats
from bot.engine.reports import ReportsNotTaken
from bot.store.database import Database
from bot.store.heartbeats import HeartbeatStore
from tests.engine.support import Disk, SetClock
from tests.reporting import ReportBook

BACKUP = Job("backup", timedelta(hours=1), timedelta(minutes=10), Level.CRITICAL, {"service": "db"})
REPORT = Job("report", timedelta(days=1), timedelta(hours=1))


@pytest.fixture
async def rows(store_url: str, disk: Disk) -> AsyncIterator[HeartbeatStore]:
    """The table, new."""
    database = await Database.open(store_url)
    yield HeartbeatStore(database)
    await database.close()


@pytest.fixture
def desk() -> ReportBook:
    """The desk that hears of it."""
    return ReportBook()


async def started(rows: HeartbeatStore, desk: ReportBook, clock: SetClock, *jobs: Job) -> Heartbeats:
    """A Guardian's heartbeats after a start."""
    heartbeats = Heartbeats(rows, desk, jobs or (BACKUP, REPORT), "test")
    await heartbeats.load(clock())
    return heartbeats


def told(desk: ReportBook) -> list[tuple[str, bool]]:
    """What the desk has heard since it was asked last: (job, firing)."""
    return [(report.subject.target, report.event.firing) for report in desk.taken()]


async def test_a_late_job_is_told_once_and_so_is_its_end(
    rows: HeartbeatStore, desk: ReportBook, clock: SetClock
) -> None:
    heartbeats = await started(rows, desk, clock)
    await heartbeats.beat("backup", Beat.OK, clock())
    clock.forward(minutes=70)
    await heartbeats.look(clock())
    assert told(desk) == []
    clock.forward(seconds=1)
    await heartbeats.look(clock())
    [report] = desk.taken()
    assert report.subject.condition is Condition.HEARTBEAT
    assert (report.subject.metric, report.subject.target) == ("heartbeat", "backup")
    assert (report.event.firing, report.event.level) == (True, Level.CRITICAL)
    assert report.labels == {"service": "db"}
    assert report.event.facts["every"] == "1h"
    await heartbeats.look(clock())
    assert told(desk) == []
    await heartbeats.beat("backup", Beat.OK, clock())
    assert told(desk) == [("backup", False)]
    await heartbeats.look(clock())
    assert told(desk) == []


async def test_what_goes_on_is_said_again_so_that_it_stays_fresh(
    rows: HeartbeatStore, desk: ReportBook, clock: SetClock
) -> None:
    heartbeats = await started(rows, desk, clock)
    clock.forward(minutes=71)
    for _ in range(4):
        await heartbeats.look(clock())
        clock.forward(minutes=8)
    assert told(desk) == [("backup", True), ("backup", True)]


async def test_a_failure_is_told_at_once_with_what_was_said(
    rows: HeartbeatStore, desk: ReportBook, clock: SetClock
) -> None:
    heartbeats = await started(rows, desk, clock)
    await heartbeats.beat("backup", Beat.FAIL, clock(), "no space\nleft \x1b[31m" + "x" * 1000)
    [report] = desk.taken()
    assert report.event.firing
    assert report.event.facts["said"].startswith("no space left [31mx")
    assert len(report.event.facts["said"]) == 300
    await heartbeats.beat("backup", Beat.START, clock())
    assert told(desk) == []
    await heartbeats.beat("backup", Beat.OK, clock())
    assert told(desk) == [("backup", False)]


async def test_a_job_that_never_reported_counts_from_its_configuration_over_restarts(
    rows: HeartbeatStore, desk: ReportBook, clock: SetClock
) -> None:
    for _ in range(7):
        heartbeats = await started(rows, desk, clock)
        await heartbeats.look(clock())
        assert told(desk) == []
        clock.forward(minutes=10)
    clock.forward(seconds=1)
    heartbeats = await started(rows, desk, clock)
    await heartbeats.look(clock())
    assert told(desk) == [("backup", True)]


async def test_a_restart_neither_forgets_nor_repeats(
    rows: HeartbeatStore, desk: ReportBook, clock: SetClock
) -> None:
    heartbeats = await started(rows, desk, clock)
    clock.forward(minutes=71)
    await heartbeats.look(clock())
    assert told(desk) == [("backup", True)]
    heartbeats = await started(rows, desk, clock)
    await heartbeats.look(clock())
    assert told(desk) == [], "told before the restart"
    await heartbeats.beat("backup", Beat.OK, clock())
    assert told(desk) == [("backup", False)], "and its end is known to be news"


async def test_a_job_that_is_no_longer_configured_ends_its_alert_and_is_forgotten(
    rows: HeartbeatStore, desk: ReportBook, clock: SetClock
) -> None:
    heartbeats = await started(rows, desk, clock)
    clock.forward(minutes=71)
    await heartbeats.look(clock())
    desk.taken()
    heartbeats = await started(rows, desk, clock, REPORT)
    await heartbeats.look(clock())
    assert told(desk) == [("backup", False)]
    assert [each.name for each in await rows.all()] == ["report"]
    assert await heartbeats.beat("backup", Beat.OK, clock()) is None


async def test_another_interval_counts_from_the_last_report(
    rows: HeartbeatStore, desk: ReportBook, clock: SetClock
) -> None:
    heartbeats = await started(rows, desk, clock)
    await heartbeats.beat("backup", Beat.OK, clock())
    clock.forward(minutes=30)
    heartbeats = await started(rows, desk, clock, replace(BACKUP, every=timedelta(minutes=15)))
    await heartbeats.look(clock())
    assert told(desk) == [("backup", True)]


async def test_a_desk_that_is_away_hears_of_it_later(
    rows: HeartbeatStore, desk: ReportBook, clock: SetClock
) -> None:
    heartbeats = await started(rows, desk, clock)
    desk.away = ReportsNotTaken("full")
    await heartbeats.beat("backup", Beat.FAIL, clock())
    assert told(desk) == []
    desk.away = None
    await heartbeats.look(clock())
    assert told(desk) == [("backup", True)]


async def test_a_full_disk_makes_no_job_look_late(
    rows: HeartbeatStore, desk: ReportBook, clock: SetClock, disk: Disk
) -> None:
    heartbeats = await started(rows, desk, clock)
    disk.read_only = True
    for _ in range(6):
        clock.forward(minutes=50)
        assert await heartbeats.beat("backup", Beat.OK, clock()) is not None
        await heartbeats.look(clock())
    assert told(desk) == []
    disk.read_only = False
    await heartbeats.look(clock())
    heartbeats = await started(rows, desk, clock)
    await heartbeats.look(clock())
    assert told(desk) == [], "what came in meanwhile has been written"


async def test_jobs_are_shown_bad_ones_first(rows: HeartbeatStore, desk: ReportBook, clock: SetClock) -> None:
    heartbeats = await started(rows, desk, clock)
    clock.forward(minutes=5)
    await heartbeats.beat("report", Beat.FAIL, clock())
    assert [(each.name, each.state) for each in heartbeats.facts(clock())] == [
        ("report", "failed"),
        ("backup", "new"),
    ]
