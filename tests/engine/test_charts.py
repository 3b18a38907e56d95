"""The charts on cards: when one is made and how often, and that failures cost nothing but the picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.typing import EventDict

from bot.domain.alerts.model import Alert, Condition, Status
from bot.domain.levels import Level
from bot.engine.charts import Charts, chart_facts
from bot.engine.delivery import Blocked, Permanent, Temporary
from bot.store.changes import NewAlert
from bot.store.database import Database
from bot.store.pictures import PictureStore
from bot.store.series import SeriesStore
from bot.store.store import Store
from messages.chart_facts import ChartFacts
from messages.render import Voice
from probes.base import Reading, Unit
from tests.engine.support import Disk, SetClock
from tests.engine.watching import OneRule
from tests.factories import CPU, UPTIME, alert, at, rule, subject
from tests.waiting import eventually

FIRED = at(4 * 3600)


@dataclass
class Easel:
    """Draws nothing, and keeps what it was asked for."""

    asked: list[ChartFacts] = field(default_factory=list)
    picture: bytes | None = b"\x89PNG"

    async def draw(self, facts: ChartFacts) -> bytes | None:
        self.asked.append(facts)
        return self.picture


@dataclass
class Shelf:
    """Takes files, or raises what it was told to."""

    files: list[tuple[str, str, str]] = field(default_factory=list)
    error: Exception | None = None
    gate: asyncio.Event | None = None

    async def upload(self, png: bytes, name: str, title: str, alt: str) -> str:
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.files.append((name, title, alt))
        return f"F{len(self.files):010}"


@dataclass
class Studio:
    """Charts with everything around them."""

    charts: Charts
    easel: Easel
    shelf: Shelf
    clock: SetClock
    store: Store
    arrived: list[tuple[int, str]]
    again: Callable[[], Charts]
    """the same after a restart"""

    async def picture(self, now: Alert, at_minute: float = 0.0) -> str | None:
        return await self.charts.picture_for(now, FIRED + timedelta(minutes=at_minute))


def firing(minute: float = 0.0, **changes: object) -> Alert:
    """An alert that fired four hours into the story, with its latest check so many minutes later."""
    values: dict[str, object] = {
        "status": Status.FIRING,
        "detected_at": FIRED - timedelta(seconds=30),
        "fired_at": FIRED,
        "resolved_at": None,
        "last_at": FIRED + timedelta(minutes=minute),
        "value": 91.0,
        "problem": None,
    }
    return alert(**values | changes)


@pytest.fixture
async def studio(tmp_path: Path, disk: Disk, clock: SetClock) -> AsyncIterator[Studio]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    store = Store(database)
    easel, shelf, arrived = Easel(), Shelf(), list[tuple[int, str]]()

    async def tell(alert_id: int, file_id: str) -> None:
        arrived.append((alert_id, file_id))

    def charts() -> Charts:
        return Charts(
            SeriesStore(database),
            PictureStore(database),
            easel,
            shelf.upload,
            OneRule(rule()),
            Voice(),
            clock,
            tell,
            settle=0.0,
        )

    clock.now = FIRED
    await store.write([NewAlert(firing())])
    readings = [
        Reading("cpu_usage", "web-1", 30.0 + minute % 7, Unit.PERCENT, at(60 * minute))
        for minute in range(240)
    ]
    await store.add_readings([("cpu:web-1", reading) for reading in readings])
    yield Studio(charts(), easel, shelf, clock, store, arrived, charts)
    await database.close()


async def test_it_shows_three_hours_before_the_alert_and_its_latest_check(studio: Studio) -> None:
    file_id = await studio.picture(firing(minute=1), 2)
    assert file_id == "F0000000001"
    (facts,) = studio.easel.asked
    assert facts.points[0] == ((FIRED - timedelta(hours=3)).isoformat(), 34.0)
    assert facts.points[-1] == ((FIRED + timedelta(minutes=1)).isoformat(), 91.0)
    assert len(facts.points) <= 240
    assert facts.bounds == (("warning", 70.0), ("critical", 85.0))
    assert (facts.title, facts.unit, facts.fired_at, facts.resolved_at) == (
        "CPU 사용률 · web-1",
        "%",
        FIRED.isoformat(),
        None,
    )
    ((name, title, alt),) = studio.shelf.files
    assert (name, title) == ("alert-7.png", "CPU 사용률 · web-1")
    assert "CPU 사용률 · web-1" in alt
    assert "91%" in alt


async def test_a_long_alert_shows_its_last_day(studio: Studio) -> None:
    await studio.picture(firing(minute=30 * 60), 30 * 60)
    (facts,) = studio.easel.asked
    first = datetime.fromisoformat(facts.points[0][0])
    assert first >= FIRED + timedelta(hours=6)


@pytest.mark.parametrize(
    ("story", "drawn"),
    [
        ([(0, firing(0)), (1, firing(1)), (4.9, firing(4.9))], 1),
        ([(0, firing(0)), (5, firing(5))], 2),
        ([(0, firing(0)), (5, firing(0))], 1),  # nothing new to show
        ([(0, firing(0)), (1, firing(1, status=Status.RESOLVED, resolved_at=FIRED))], 2),
        (
            [
                (0, firing(0)),
                (1, firing(1, status=Status.RESOLVED, resolved_at=FIRED)),
                (9, firing(1, status=Status.RESOLVED, resolved_at=FIRED)),
            ],
            2,
        ),
        (
            [(0, firing(1, status=Status.RESOLVED, resolved_at=FIRED)), (2, firing(2))],
            2,
        ),
        ([(240, firing(240)), (245, firing(245)), (259, firing(259))], 1),  # after hours less often
        ([(240, firing(240)), (262, firing(262))], 2),
    ],
)
async def test_it_is_drawn_again_after_five_minutes_and_once_at_the_end(
    studio: Studio, story: list[tuple[float, Alert]], drawn: int
) -> None:
    shown = [await studio.picture(then, minute) for minute, then in story]
    assert len(studio.easel.asked) == drawn
    assert shown[-1] == f"F{drawn:010}"
    assert await studio.charts.known(7) == shown[-1]


async def test_the_end_is_marked_and_no_forecast_goes_beyond_it(studio: Studio) -> None:
    over = firing(5, status=Status.RESOLVED, resolved_at=FIRED + timedelta(minutes=5))
    await studio.charts.picture_for(over, FIRED + timedelta(hours=1), [(FIRED + timedelta(hours=2), 95.0)])
    (facts,) = studio.easel.asked
    assert facts.resolved_at == (FIRED + timedelta(minutes=5)).isoformat()
    assert facts.forecast == ()


@pytest.mark.parametrize("condition", [Condition.NO_DATA, Condition.REPORTED, Condition.HEARTBEAT])
async def test_what_is_not_measured_has_no_picture(studio: Studio, condition: Condition) -> None:
    assert await studio.picture(firing(subject=subject(condition))) is None
    assert studio.easel.asked == []


async def test_a_restart_knows_the_picture(studio: Studio) -> None:
    first = await studio.picture(firing())
    again = studio.again()
    assert await again.known(7) == first
    assert await again.picture_for(firing(1), FIRED + timedelta(minutes=1)) == first
    assert len(studio.easel.asked) == 1


async def test_what_it_was_asked_for_is_made_worst_first_and_told(studio: Studio) -> None:
    for number, level in ((7, Level.WARNING), (8, Level.EMERGENCY), (9, Level.CRITICAL)):
        studio.charts.ask(firing(id=number, level=level))
        studio.charts.ask(firing(1, id=number, level=level))
    running = asyncio.create_task(studio.charts.run())
    await eventually(lambda: len(studio.arrived) == 3)
    assert [alert_id for alert_id, _ in studio.arrived] == [8, 9, 7]
    studio.charts.ask(firing(2))  # not due: nothing new to tell
    studio.charts.ask(firing(2, id=10))
    await eventually(lambda: len(studio.arrived) == 4)
    assert studio.arrived[-1][0] == 10
    running.cancel()


async def test_asking_waits_for_nothing(studio: Studio) -> None:
    studio.shelf.gate = asyncio.Event()
    running = asyncio.create_task(studio.charts.run())
    studio.charts.ask(firing())
    await eventually(lambda: len(studio.easel.asked) == 1)
    assert await studio.charts.known(7) is None
    assert studio.arrived == []
    studio.shelf.gate.set()
    await eventually(lambda: studio.arrived == [(7, "F0000000001")])
    running.cancel()


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (Permanent("file_upload_size_restricted"), 5),
        (Blocked("missing_scope"), 10),
        (Temporary("ratelimited", 900.0), 15),
    ],
)
async def test_a_refusal_costs_the_picture_and_is_logged_once(
    studio: Studio, logs: list[EventDict], error: Exception, pause: int
) -> None:
    studio.shelf.error = error
    assert await studio.picture(firing()) is None
    studio.clock.forward(minutes=pause - 1)
    assert await studio.picture(firing(pause - 1), pause - 1) is None
    assert len(studio.easel.asked) == 1
    assert await studio.picture(firing(pause), pause) is None
    assert len(studio.easel.asked) == 2
    assert [entry["event"] for entry in logs] == ["chart_not_shown"]
    studio.shelf.error = None
    assert await studio.picture(firing(2 * pause), 2 * pause) == "F0000000001"


async def test_a_failed_drawing_keeps_the_picture_from_before(studio: Studio) -> None:
    first = await studio.picture(firing())
    studio.easel.picture = None
    assert await studio.picture(firing(6), 6) == first


async def test_a_card_that_slack_refused_with_its_picture_goes_without_for_five_minutes(
    studio: Studio,
) -> None:
    await studio.picture(firing())
    await studio.charts.refused(7)
    assert await studio.charts.known(7) is None
    assert await studio.again().known(7) is None
    assert await studio.picture(firing(1), 1) is None
    assert await studio.picture(firing(6), 6) == "F0000000002"


async def test_a_database_that_cannot_be_written_costs_only_the_memory(studio: Studio, disk: Disk) -> None:
    disk.read_only = True
    assert await studio.picture(firing()) == "F0000000001"
    assert await studio.charts.known(7) == "F0000000001"
    assert await studio.again().known(7) is None


def test_where_low_is_bad_the_chart_is_told() -> None:
    facts = chart_facts(firing(), UPTIME, [(FIRED, 99.7)], [], "t", "en", "UTC")
    assert not facts.rising
    assert facts.bounds == (("warning", 99.9), ("critical", 99.5))
    assert chart_facts(firing(), None, [], [], "t", "ko", "UTC").bounds == ()
    assert chart_facts(firing(), CPU, [], [(FIRED, 1.0)], "t", "ko", "UTC").forecast == (
        (FIRED.isoformat(), 1.0),
    )
