"""Changes, forecasts, ratings, series and what fired together, in both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.domain.alerts.forecast import Forecast
from bot.domain.alerts.happenings import ChangeKind, Happening
from bot.domain.alerts.ladder import Recipient, TargetKind
from bot.domain.alerts.model import Condition, Status
from bot.domain.alerts.noise import Accuracy, noise
from bot.domain.alerts.scoring import Foretold, Outcome, Score
from bot.domain.levels import Level
from bot.store.changes import NewAlert, PageMade
from bot.store.database import Database
from bot.store.insight import InsightStore
from bot.store.ratings import RatingStore, rule_name
from bot.store.series import SeriesStore
from bot.store.store import Store
from probes.base import ProblemKind, Unit, measured, unmeasured
from tests.factories import T0, alert, at, subject

DAY = timedelta(days=1)


@pytest.fixture
def insight(database: Database) -> InsightStore:
    return InsightStore(database)


def change(seconds: float, **more: str) -> Happening:
    return Happening(
        at=at(seconds), kind=ChangeKind.DEPLOY, title="v1.8.2 <배포>", service=more.get("service", "")
    )


async def test_canaries_are_what_shared_the_traffic_and_was_not_told_of_again(insight: InsightStore) -> None:
    async def tell(seconds: float, service: str, environment: str, event: str) -> int:
        told = replace(change(seconds, service=service), environment=environment, facts={"event": event})
        return (await insight.add_change(told)).id

    await tell(0, "shop", "production", "traffic")
    goes_on = await tell(10, "shop", "production", "traffic")
    await tell(0, "mail", "production", "traffic")
    await tell(10, "mail", "production", "complete")
    await tell(0, "shop", "staging", "traffic")
    await tell(10, "shop", "staging", "back")
    await insight.add_change(change(5, service="pay"))
    assert [each.id for each in await insight.canaries(at(60))] == [goes_on]
    assert await insight.canaries(at(0)) == []
    assert await insight.canaries(at(60) + timedelta(days=8)) == []


async def test_changes_come_back_newest_first(insight: InsightStore) -> None:
    full = Happening(
        at(0),
        ChangeKind.ROLLBACK,
        "shop",
        "test",
        "web-1",
        "v1",
        "https://ci/1",
        "U1",
        {"sections": ["rules"]},
    )
    first = await insight.add_change(full)
    second = await insight.add_change(change(60))
    assert first == replace(full, id=first.id)
    assert second.id > first.id > 0
    assert await insight.changes(at(0)) == [second, first]
    assert await insight.changes(at(1)) == [second]
    assert await insight.changes(at(0), limit=1) == [second]


def foretold(minutes: float = 60, level: Level = Level.CRITICAL) -> Forecast:
    return Forecast(95.0, level, T0, T0 + timedelta(minutes=minutes), 1.8, 9.5, 120)


async def test_one_forecast_of_a_level_waits_to_be_scored(insight: InsightStore) -> None:
    assert await insight.add_forecast(subject(), foretold(), rising=True)
    assert not await insight.add_forecast(subject(), foretold(50), rising=True)
    assert await insight.add_forecast(subject(), foretold(30, Level.ERROR), rising=True)
    assert await insight.add_forecast(subject(target="web-2"), foretold(), rising=False)
    assert await insight.foretold(at(29 * 60)) == []
    due = await insight.foretold(at(3600))
    assert [(each.reaches_at, each.target, each.rising) for each in due] == [
        (at(1800), "web-1", True),
        (at(3600), "web-1", True),
        (at(3600), "web-2", False),
    ]
    assert due[1] == Foretold(due[1].id, "cpu_usage", "web-1", True, 95.0, T0, at(3600))
    assert len(await insight.foretold(at(3600), limit=2)) == 2
    scores = [
        (due[0].id, Score(Outcome.EARLY, at(60), timedelta(seconds=-1740))),
        (due[1].id, Score(Outcome.HIT, at(3600), timedelta(0))),
        (due[2].id, Score(None)),
    ]
    await insight.score_forecasts(scores, at(3700))
    assert await insight.foretold(at(9999)) == []
    assert await insight.outcomes(at(0)) == {Outcome.EARLY: 1, Outcome.HIT: 1}
    assert await insight.outcomes(at(3701)) == {}
    assert await insight.add_forecast(subject(), foretold(90), rising=True), "the next one may wait"


async def test_marks_are_remembered(insight: InsightStore) -> None:
    assert await insight.mark("settings") is None
    for value in ("1", "2"):
        await insight.set_mark("settings", value)
        assert await insight.mark("settings") == value


async def test_old_changes_and_scored_forecasts_are_deleted(insight: InsightStore) -> None:
    await insight.add_change(change(0))
    kept = await insight.add_change(change(100))
    await insight.add_forecast(subject(), foretold(), rising=True)
    assert await insight.prune(at(50)) == 1
    (due,) = await insight.foretold(at(3600))
    await insight.score_forecasts([(due.id, Score(Outcome.MISS))], at(60))
    assert await insight.prune(at(61)) == 1
    assert await insight.changes(at(0)) == [kept]


async def test_what_fired_five_times_or_more_is_read_for_pairs(insight: InsightStore, store: Store) -> None:
    fired = [("a", day) for day in range(5)] + [("b", day) for day in range(4)]
    for number, (target, day) in enumerate(fired):
        moment = at(0) + DAY * day
        over = {"status": Status.RESOLVED, "resolved_at": moment}
        await store.write(
            [NewAlert(alert(id=number, subject=subject(target=target), fired_at=moment, **over))]
        )
    pending = alert(
        id=99, subject=subject(target="a"), status=Status.PENDING, fired_at=None, resolved_at=None
    )
    await store.write([NewAlert(pending)])
    assert await insight.firings(at(0)) == [(subject(target="a").key, at(0) + DAY * day) for day in range(5)]
    assert await insight.firings(at(1)) == [], "four are left"


async def test_a_series_is_thinned_evenly_and_keeps_the_newest(store: Store, database: Database) -> None:
    rows = [
        ("cpu:web-1", measured("cpu_usage", "web-1", float(index), Unit.PERCENT, at(30 * index)))
        for index in range(100)
    ]
    other = measured("cpu_usage", "web-2", 7.0, Unit.PERCENT, at(0))
    blind = unmeasured("cpu_usage", "web-1", Unit.PERCENT, at(3000), ProblemKind.TIMEOUT)
    await store.add_readings([*rows, ("cpu:web-2", other), ("cpu:web-1", blind)])
    series = SeriesStore(database)
    whole = await series.series("cpu_usage", "web-1", at(0))
    assert len(whole) == 101
    assert whole[0] == (at(0), 0.0)
    assert whole[-1] == (at(3000), None)
    assert await series.series("cpu_usage", "web-1", at(2950)) == [(at(2970), 99.0), (at(3000), None)]
    few = await series.series("cpu_usage", "web-1", at(0), at_most=10)
    assert len(few) == 10
    assert few[-1] == whole[-1]
    assert {later - earlier for (earlier, _), (later, _) in pairwise(few)} == {timedelta(seconds=330)}
    assert await series.series("cpu_usage", "web-1", at(0), at_most=101) == whole
    assert await series.series("cpu_usage", "web-9", at(0), at_most=10) == []


async def test_of_one_person_the_latest_rating_counts(store: Store, database: Database) -> None:
    ratings = RatingStore(database)
    for number in (1, 2):
        await store.write([NewAlert(alert(id=number, subject=subject(target=f"t{number}"), carded=True))])
    await ratings.rate(1, "U1", "cpu_usage", False, at(0))
    await ratings.rate(1, "U2", "cpu_usage", False, at(1))
    await ratings.rate(2, "U1", "cpu_usage", True, at(2))
    await ratings.rate(2, "U1", "other", True, at(3))
    rated = await ratings.rate(1, "U1", "cpu_usage", True, at(4))
    assert (rated.ratings, rated.hint) == (Accuracy(1, 1), False)
    past = {each.target: each.fired for each in await ratings.past(at(0))}
    assert (past["t1"].useful, past["t1"].useless) == (1, 1)
    assert (past["t2"].useful, past["t2"].useless) == (1, 0)


async def test_every_fifth_useless_rating_brings_one_hint(store: Store, database: Database) -> None:
    ratings = RatingStore(database)
    await store.write([NewAlert(alert(id=1))])
    hints = [(await ratings.rate(1, f"U{n}", "cpu_usage", False, at(n))).hint for n in range(1, 12)]
    assert [number for number, hint in enumerate(hints, 1) if hint] == [5, 10]
    assert not (await ratings.rate(1, "U10", "cpu_usage", True, at(20))).hint
    assert not (await ratings.rate(1, "U11", "cpu_usage", True, at(21))).hint
    assert not (await ratings.rate(1, "U11", "cpu_usage", False, at(22))).hint, "the tenth once more"
    assert not (await ratings.rate(1, "U9", "another", False, at(23))).hint


async def test_the_past_of_every_alert_that_fired(store: Store, database: Database) -> None:
    known = alert(
        id=1, status=Status.RESOLVED, fired_at=at(30), resolved_at=at(90), pages=2, acked_at=None, carded=True
    )
    looked = known._replace(id=2, subject=subject(target="b"), seen_by=("U1",))
    acked = known._replace(
        id=3, subject=subject(target="c"), acked_at=at(40), status=Status.ACKED, resolved_at=None
    )
    blind = known._replace(id=4, subject=subject(Condition.NO_DATA, "d"))
    reported = known._replace(id=5, subject=subject(Condition.REPORTED, "e"), title="DiskFilling")
    waiting = known._replace(id=6, subject=subject(target="f"), status=Status.PENDING, fired_at=None)
    untold = known._replace(id=7, subject=subject(target="g"), carded=False)
    await store.write([NewAlert(each) for each in (known, looked, acked, blind, reported, waiting, untold)])
    past = await RatingStore(database).past(at(30))
    assert [(each.fired.rule, each.fired.seen, each.fired.acked) for each in past] == [
        ("cpu_usage", False, False),
        ("cpu_usage", True, False),
        ("cpu_usage", True, True),
        ("no_data", False, False),
        ("DiskFilling", False, False),
    ]
    assert (past[0].fired.pages, past[0].fired.duration, past[0].fired.peak) == (
        2,
        timedelta(seconds=60),
        91.0,
    )
    assert past[2].fired.duration is None
    assert [each.fired.peak for each in past[3:]] == [None, None]
    assert await RatingStore(database).past(at(31)) == []


async def test_a_call_for_many_alerts_of_a_storm_is_one_call(store: Store, database: Database) -> None:
    storm = [
        alert(id=number, subject=subject(target=f"t{number}"), fired_at=at(30), carded=True, storm=1, pages=2)
        for number in range(1, 101)
    ]
    people = (Recipient(TargetKind.PERSON, "U1"),)
    pages = [
        PageMade(each.id, 1, 1, step, at(60 * step), people, Level.CRITICAL, "cpu_usage")
        for each in storm
        for step in (1, 2)
    ]
    pages[0] = pages[0]._replace(at=at(61))  # the first was called for alone
    await store.write([*map(NewAlert, storm), *pages])
    past = [each.fired for each in await RatingStore(database).past(at(30))]
    assert [round(each.pages, 6) for each in past] == [1.01, *[round(1 / 99 + 0.01, 6)] * 99]
    (rule,) = noise(past, 1)
    assert (rule.alerts, rule.pages) == (100, 3)


@pytest.mark.parametrize(
    ("condition", "title", "rule"),
    [
        (Condition.THRESHOLD, "", "cpu_usage"),
        (Condition.NO_DATA, "", "no_data"),
        (Condition.REPORTED, "DiskFilling", "DiskFilling"),
        (Condition.REPORTED, "", "cpu_usage"),
        (Condition.HEARTBEAT, "backup", "backup"),
        (Condition.FAILED_RUN, "shop v3 failed", "cpu_usage"),
    ],
)
def test_a_rule_is_a_metric_or_a_title(condition: Condition, title: str, rule: str) -> None:
    assert rule_name(condition, "cpu_usage", title) == rule
