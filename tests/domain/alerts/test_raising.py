"""Levels: what raises an alert above its bands (alerts.md, Levels)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.alerts.forecast import Forecast
from bot.domain.alerts.model import Alert, Condition, Status, Subject
from bot.domain.alerts.raising import Raise, raises
from bot.domain.labels import Service, Services
from bot.domain.levels import Level
from probes.base import Layer
from tests.factories import T0, alert, at

SHOP = Services((Service("shop", backends=("https://a/", "https://b/")),))


def foretold(minutes: float, level: Level = Level.CRITICAL) -> Forecast:
    return Forecast(95.0, level, T0, T0 + timedelta(minutes=minutes), 1.8, 9.0, 100)


def opened(
    number: int,
    level: Level = Level.WARNING,
    layer: Layer = Layer.INFRASTRUCTURE,
    metric: str = "cpu_usage",
    target: str = "web-1",
    condition: Condition = Condition.THRESHOLD,
    **changes: object,
) -> Alert:
    subject = Subject("test", f"x:{target}", metric, target, condition)
    return alert(
        id=number,
        subject=subject,
        level=level,
        layer=layer,
        fired_at=at(number),
        **{"status": Status.FIRING, "labels": {"service": "shop"}, **changes},
    )


@pytest.mark.parametrize(
    ("known", "forecasts", "raised"),
    [
        (opened(1), [foretold(30)], True),
        (opened(1), [foretold(31)], False),
        (opened(1), [foretold(5, Level.ERROR)], False),
        (opened(1), [foretold(5, Level.ERROR), foretold(20)], True),
        (opened(1), [], False),
        (opened(1, Level.INFO), [foretold(5)], False),
        (opened(1, Level.ERROR), [foretold(5)], False),
        (opened(1, Level.ERROR, floor=Level.ERROR, floor_why="forecast"), [foretold(5)], True),
        (opened(1, Level.ERROR, floor=Level.ERROR, floor_why="forecast"), [foretold(50)], False),
        (opened(1, condition=Condition.NO_DATA), [foretold(5)], False),
        (opened(1, status=Status.ACKED), [foretold(5)], True),
        (opened(1, status=Status.PENDING), [foretold(5)], False),
    ],
)
def test_forecast_a_warning_that_will_soon_be_critical_is_an_error(
    known: Alert, forecasts: list[Forecast], raised: bool
) -> None:
    found = raises([known], {1: forecasts}, T0)
    assert found == ({1: Raise(Level.ERROR, "forecast")} if raised else {})


CRITICAL = opened(1, Level.CRITICAL)
OTHER = opened(2, Level.CRITICAL, Layer.APPLICATION, target="web-2")


@pytest.mark.parametrize(
    ("alerts", "raised"),
    [
        ([CRITICAL, OTHER], 2),
        ([OTHER, CRITICAL], 2),
        ([CRITICAL], None),
        ([CRITICAL, opened(2, Level.CRITICAL, target="web-2")], None),
        ([CRITICAL, opened(2, Level.ERROR, Layer.APPLICATION)], None),
        ([CRITICAL, opened(2, Level.CRITICAL, Layer.APPLICATION, labels={"service": "other"})], None),
        ([opened(1, Level.CRITICAL, labels={}), opened(2, Level.CRITICAL, Layer.DATABASE, labels={})], None),
        ([CRITICAL, opened(2, Level.CRITICAL, Layer.APPLICATION, status=Status.RESOLVED)], None),
        ([CRITICAL, OTHER, opened(3, Level.CRITICAL, Layer.DATABASE)], 3),
        ([CRITICAL, opened(2, Level.CRITICAL, Layer.APPLICATION, condition=Condition.FAILED_RUN)], None),
    ],
    ids=[
        "two layers",
        "in any order",
        "one",
        "one layer",
        "not critical",
        "another service",
        "no service",
        "over",
        "three",
        "a failed run",
    ],
)
def test_layers_critical_in_two_layers_of_a_service_is_an_emergency_for_the_newest(
    alerts: list[Alert], raised: int | None
) -> None:
    found = raises(alerts, {}, T0)
    assert found == ({} if raised is None else {raised: Raise(Level.EMERGENCY, "layers")})


def test_layers_the_one_that_was_raised_stays_the_one() -> None:
    before = opened(2, Level.EMERGENCY, Layer.APPLICATION, floor=Level.EMERGENCY, floor_why="layers")
    newer = opened(3, Level.CRITICAL, Layer.DATABASE)
    assert list(raises([CRITICAL, before, newer], {}, T0)) == [2]


def down(number: int, target: str, condition: Condition = Condition.THRESHOLD, **changes: object) -> Alert:
    return opened(number, Level.CRITICAL, Layer.APPLICATION, "reachable", target, condition, **changes)


@pytest.mark.parametrize(
    ("alerts", "raised"),
    [
        ([down(1, "https://a/"), down(2, "https://b/")], 2),
        ([down(1, "https://a/")], None),
        ([down(1, "https://a/"), down(2, "https://c/")], None),
        ([down(1, "https://a/"), down(2, "https://b/", condition=Condition.NO_DATA)], None),
        ([down(1, "https://a/"), down(2, "https://b/", status=Status.RESOLVED)], None),
        (
            [down(1, "https://a/", floor=Level.EMERGENCY, floor_why="no_backend"), down(2, "https://b/")],
            1,
        ),
    ],
    ids=["all", "one of two", "another address", "no data is no answer", "one is back", "raised before"],
)
def test_no_backend_a_service_none_of_whose_backends_answers_is_an_emergency(
    alerts: list[Alert], raised: int | None
) -> None:
    found = raises(alerts, {}, T0, SHOP)
    assert found == ({} if raised is None else {raised: Raise(Level.EMERGENCY, "no_backend")})


def test_a_service_without_backends_never_lacks_one() -> None:
    assert raises([down(1, "https://a/")], {}, T0, Services((Service("shop"),))) == {}
