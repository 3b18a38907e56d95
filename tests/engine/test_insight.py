"""What is known beside the decisions: context, forecast, changes, raises, scores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from pydantic import JsonValue
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.alerts.happenings import ChangeKind, Happening
from bot.domain.alerts.model import Alert, Condition, Status, Subject
from bot.domain.alerts.raising import Raise
from bot.domain.alerts.scoring import Outcome
from bot.domain.labels import Service, Services
from bot.domain.levels import Level
from bot.engine.history import History
from bot.engine.insight import FRESH, KEEP, Insight
from bot.engine.noise import NoiseBook
from bot.store.changes import NewAlert
from bot.store.database import Database
from bot.store.insight import InsightStore
from bot.store.ratings import RatingStore
from bot.store.series import SeriesStore
from bot.store.store import Store
from messages.insight_facts import InsightFacts
from probes.base import Unit, measured
from tests.engine.support import Disk, SetClock
from tests.engine.watching import CpuRules
from tests.factories import T0, alert

SHOP = Services((Service("shop", depends_on=("db",)), Service("db")))


@dataclass
class Room:
    """An insight with everything that it reads."""

    store: Store
    facts: InsightStore
    history: History
    insight: Insight
    noise: NoiseBook
    clock: SetClock

    async def reads(self, first: float, step: float, count: int, target: str = "web-1") -> None:
        """Readings half a minute apart, the last one now."""
        start = self.clock.now - timedelta(seconds=30 * (count - 1))
        rows = [
            (
                "cpu:web-1",
                measured(
                    "cpu_usage", target, first + step * n, Unit.PERCENT, start + timedelta(seconds=30 * n)
                ),
            )
            for n in range(count)
        ]
        await self.store.add_readings(rows)

    def firing(self, number: int = 1, target: str = "web-1", service: str = "", **changes: object) -> Alert:
        """An alert that fires since a minute."""
        since = self.clock.now - timedelta(minutes=1)
        return alert(
            id=number,
            subject=Subject("test", f"cpu:{target}", "cpu_usage", target, Condition.THRESHOLD),
            labels={"service": service} if service else {},
            **{
                "status": Status.FIRING,
                "fired_at": since,
                "detected_at": since,
                "resolved_at": None,
                "carded": True,
                **changes,
            },
        )


@pytest.fixture
async def room(store_url: str, clock: SetClock, disk: Disk) -> AsyncIterator[Room]:
    database = await Database.open(store_url)
    store, facts, ratings = Store(database), InsightStore(database), RatingStore(database)
    history = History(store, clock)
    insight = Insight(facts, SeriesStore(database), history, CpuRules(), clock, SHOP)
    noise = NoiseBook(store, ratings, facts, CpuRules(), clock)
    yield Room(store, facts, history, insight, noise, clock)
    await database.close()


def minutes(facts: InsightFacts) -> float:
    """How far ahead the forecast looks."""
    assert facts.forecast is not None
    reaches = datetime.fromisoformat(facts.forecast.reaches_at)
    return (reaches - datetime.fromisoformat(facts.forecast.made_at)).total_seconds() / 60


async def test_a_forecast_is_made_from_the_history_and_written_down(room: Room) -> None:
    await room.reads(72.0, 0.05, 120)
    found = await room.insight.of(room.firing(), [])
    assert found.forecast is not None
    assert (found.forecast.bound, found.forecast.level) == (85.0, "critical")
    assert found.forecast.slope == pytest.approx(6.0)
    assert minutes(found) == pytest.approx((85 - 77.95) / 6 * 60)
    assert set(found.as_extras()) == {"forecast"}
    assert len(await room.facts.foretold(room.clock.now + timedelta(hours=2))) == 1


async def test_readings_that_are_not_written_yet_count(room: Room) -> None:
    readings = [
        measured("cpu_usage", "web-1", 72 + 0.05 * n, Unit.PERCENT, T0 + timedelta(seconds=30 * (n - 119)))
        for n in range(120)
    ]
    for reading in readings:
        room.history.add("cpu:web-1", [reading])
    assert len(await room.insight.series("cpu_usage", "web-1", T0 - timedelta(hours=2))) == 120
    assert (await room.insight.of(room.firing(), [])).forecast is not None
    await room.history.flush()
    whole = await room.insight.series("cpu_usage", "web-1", T0 - timedelta(hours=2))
    assert [value for _, value in whole] == [reading.value for reading in readings]


async def test_what_was_found_out_is_good_for_three_minutes(room: Room) -> None:
    await room.reads(72.0, 0.05, 120)
    first = await room.insight.of(room.firing(), [])
    await room.insight.record_change(Happening(room.clock.now - timedelta(minutes=5), ChangeKind.DEPLOY))
    room.clock.forward(seconds=FRESH.total_seconds() - 1)
    assert await room.insight.of(room.firing(), [room.firing(2)]) is first
    room.clock.forward(seconds=1)
    again = await room.insight.of(room.firing()._replace(detected_at=T0), [])
    assert [change.kind for change in again.changes] == ["deploy"]


async def test_an_alert_about_runs_names_what_the_latest_of_them_did_at_once(room: Room) -> None:
    def moved(run: int, minutes: float, revision: str) -> Happening:
        at = room.clock.now - timedelta(minutes=minutes)
        facts: dict[str, JsonValue] = {"operation": run, "event": "back"}
        return Happening(at, ChangeKind.ROLLBACK, "shop", "test", title=revision, facts=facts)

    def failed(run: int, operation: str = "deploy") -> Alert:
        about = Subject("test", "operation:test/shop", "operation", "test/shop", Condition.FAILED_RUN)
        labels = {"service": "shop", "operation": operation}
        return room.firing()._replace(subject=about, labels=labels, facts={"operation": f"#{run}"})

    async def named(run: int) -> str | None:
        deployment = (await room.insight.of(failed(run), [])).deployment
        return None if deployment is None else deployment.title

    await room.insight.record_change(moved(7, 2, "v7"))
    assert await named(7) == "v7"
    await room.insight.record_change(moved(8, 0, "v8"))
    assert [await named(8), await named(9)] == ["v8", None]
    assert (await room.insight.of(failed(9), [])).changes == ()
    room.clock.forward(seconds=120)
    cleanup = (await room.insight.of(failed(10, "cleanup"), [])).deployment
    assert cleanup is not None  # nobody knows what hangs together
    assert cleanup.title == "v8"


async def test_causes_are_named_with_their_evidence(room: Room) -> None:
    await room.insight.record_change(
        Happening(room.clock.now - timedelta(minutes=13), ChangeKind.DEPLOY, "shop", title="v2")
    )
    own = room.firing(3, "web-1", "shop")
    upstream = room.firing(2, "db-1", "db")
    found = await room.insight.of(own, [own, upstream])
    assert found.context is not None
    assert found.context.probable is not None
    assert found.context.probable.alert is not None
    assert (found.context.probable.alert.id, found.context.probable.evidence["path"]) == (2, ["shop", "db"])
    assert [cause.kind for cause in found.context.causes] == ["dependency", "change"]
    assert found.context.causes[1].evidence == {"minutes": 12}
    assert [change.title for change in found.changes] == ["v2"]
    explained = await room.insight.of(upstream, [own, upstream])
    assert explained.context is not None
    assert [each.id for each in explained.context.first_effects] == [3]


async def test_alerts_that_often_fire_together_explain_each_other(room: Room) -> None:
    first, second = room.firing(100, "a"), room.firing(101, "b")
    for day in range(1, 7):
        for offset, each in enumerate((first, second)):
            fired = room.clock.now - timedelta(days=day) + timedelta(minutes=offset)
            over = each._replace(
                id=10 * day + offset, status=Status.RESOLVED, fired_at=fired, resolved_at=fired
            )
            await room.store.write([NewAlert(over)])
    found = await room.insight.of(second, [first, second])
    assert found.context is not None
    assert found.context.probable is not None
    assert found.context.probable.kind == "together"
    assert found.context.probable.evidence["times"] == 6


async def test_a_database_that_is_away_has_nothing_to_say(room: Room) -> None:
    await room.reads(72.0, 0.05, 120)
    gone = Insight(
        InsightStore(nowhere()),
        SeriesStore(nowhere()),
        room.history,
        CpuRules(),
        room.clock,
    )
    assert await gone.of(room.firing(), []) == InsightFacts()
    assert await gone.raises([room.firing(level=Level.WARNING)]) == {}


def nowhere() -> Database:
    """A database on a server that is not there any more."""
    return Database(create_async_engine("postgresql+psycopg://guardian@/guardian?host=/nowhere"))


async def test_what_is_over_costs_nothing_and_foretells_nothing(room: Room) -> None:
    await room.reads(72.0, 0.05, 120)
    over = room.firing(status=Status.RESOLVED)
    assert await room.insight.of(over, []) == InsightFacts()
    opened = await room.insight.of(room.firing(), [])
    assert opened.forecast is not None
    assert await room.insight.of(over, []) == replace(opened, forecast=None)


async def test_a_warning_that_will_soon_be_critical_is_raised(room: Room) -> None:
    await room.reads(72.0, 0.1, 100)  # 81.9 now, 12 an hour: a quarter of an hour to go
    warning = room.firing(level=Level.WARNING, value=81.9)
    assert await room.insight.raises([warning]) == {1: Raise(Level.ERROR, "forecast")}
    raised = warning._replace(level=Level.ERROR, floor=Level.ERROR, floor_why="forecast")
    room.clock.forward(seconds=FRESH.total_seconds())
    await room.reads(82.0, 0.1, 6)
    assert await room.insight.raises([raised]) == {1: Raise(Level.ERROR, "forecast")}
    room.clock.forward(seconds=1800)
    await room.reads(72.0, 0.0, 50)
    assert await room.insight.raises([raised]) == {}


async def test_in_a_storm_few_forecasts_are_made_at_once(room: Room) -> None:
    storm = [room.firing(number, f"t{number}", level=Level.WARNING) for number in range(50)]
    for number in range(50):
        await room.reads(72.0, 0.1, 100, f"t{number}")
    assert len(await room.insight.raises(storm)) == 20
    assert len(await room.insight.raises(storm)) == 40
    assert len(await room.insight.raises(storm)) == 50


async def test_forecasts_are_scored_against_what_happened(room: Room) -> None:
    await room.reads(72.0, 0.1, 100)
    await room.insight.of(room.firing(), [])
    assert await room.insight.score(room.clock.now) == 0, "its time has not come"
    room.clock.forward(minutes=20)
    await room.reads(82.0, 0.1, 40)
    assert await room.insight.score(room.clock.now) == 1
    assert await room.facts.outcomes(T0) == {Outcome.HIT: 1}
    assert await room.insight.score(room.clock.now) == 0
    report = await room.noise.report(7)
    assert (report.forecasts, report.forecast_hits) == (1, 1)
    room.clock.now += KEEP + timedelta(days=1)
    await room.insight.score(room.clock.now)
    assert await room.facts.outcomes(T0) == {}


async def test_a_changed_configuration_is_a_change_and_the_first_start_is_none(room: Room) -> None:
    settings: dict[str, JsonValue] = {"probes": {"cpu": 15}, "rules": {}, "language": "ko"}
    turned = dict(reversed(list(settings.items())))
    assert await room.insight.settings_seen(settings, "web-1", "test") is None
    assert await room.insight.settings_seen(turned, "web-1", "test") is None
    found = await room.insight.settings_seen({**settings, "rules": {"cpu": 1}, "new": 1}, "web-1", "test")
    assert found is not None
    assert (found.kind, found.target, found.facts) == (
        ChangeKind.CONFIG,
        "web-1",
        {"sections": ["new", "rules.cpu"]},
    )
    assert await room.facts.changes(T0) == [found]


async def test_rating_counts_for_the_rule_and_suggests_at_the_fifth(room: Room) -> None:
    for number in range(1, 7):
        over = room.firing(number, f"t{number}", status=Status.RESOLVED, peak=71.0 + number, acked_at=None)
        await room.store.write([NewAlert(over._replace(resolved_at=room.clock.now))])
    assert await room.noise.rate(99, "U1", True) is None
    told = [await room.noise.rate(number, "U1", False) for number in range(1, 6)]
    assert [each.hint for each in told if each is not None] == [False, False, False, False, True]
    last = told[-1]
    assert last is not None
    assert (last.rule, last.useful, last.useless, last.accuracy) == ("cpu_usage", 0, 5, 0.0)
    assert last.suggestion is not None
    assert (last.suggestion.kind, last.suggestion.value, last.suggestion.now) == ("bound", 75.0, 70.0)
    assert (await room.noise.accuracy()).share == 0.0
    report = await room.noise.report(30)
    assert [(rule.rule, rule.alerts, rule.useless) for rule in report.rules] == [("cpu_usage", 6, 5)]
    assert (report.accuracy, report.target) == (0.0, 85.0)
    room.clock.forward(days=8)
    assert (await room.noise.report(7)).rules == ()
