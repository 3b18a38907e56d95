"""How risky a deployment looks, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.risk import RiskFacts, RiskLevel, RiskRules, Size, budget_left, risk_of
from bot.domain.levels import Level
from bot.domain.oncall.model import Hours
from messages.render import Voice

SEOUL = ZoneInfo("Asia/Seoul")
RULES = RiskRules(frozenset(range(5)), Hours(time(9), time(18)), 15, SEOUL, 99.9, 50, 1000, 50)
TUESDAY = datetime(2026, 3, 3, 11, tzinfo=SEOUL)
CALM = RiskFacts(timedelta(minutes=30), availability=99.99, size=Size(3, 4, 50), today=2)


def test_a_small_change_on_a_working_day_is_a_low_risk_without_a_reason() -> None:
    risk = risk_of(RULES, CALM, TUESDAY)
    assert (risk.level, risk.reasons) == (RiskLevel.LOW, ())


@pytest.mark.parametrize(
    ("now", "name", "level"),
    [
        (datetime(2026, 3, 3, 8, 59, tzinfo=SEOUL), "off_hours", RiskLevel.MEDIUM),
        (datetime(2026, 3, 3, 18, 0, tzinfo=SEOUL), "off_hours", RiskLevel.MEDIUM),
        (datetime(2026, 3, 3, 22, 0, tzinfo=SEOUL), "night", RiskLevel.HIGH),
        (datetime(2026, 3, 3, 5, 59, tzinfo=SEOUL), "night", RiskLevel.HIGH),
        (datetime(2026, 3, 6, 15, 0, tzinfo=SEOUL), "friday", RiskLevel.MEDIUM),
        (datetime(2026, 3, 7, 11, 0, tzinfo=SEOUL), "day_off", RiskLevel.MEDIUM),
        (datetime(2026, 3, 6, 3, 0, tzinfo=UTC), "", RiskLevel.LOW),  # Friday noon there
    ],
)
def test_the_hour(now: datetime, name: str, level: RiskLevel) -> None:
    risk = risk_of(RULES, CALM, now)
    assert risk.level is level
    assert [reason.name for reason in risk.reasons] == [name] * bool(name)


def test_the_hour_is_told_by_the_clock_of_the_place() -> None:
    (reason,) = risk_of(RULES, CALM, datetime(2026, 3, 2, 16, 30, tzinfo=UTC)).reasons
    assert reason.name == "night"
    assert reason.values == {"at": "2026-03-03 01:30", "day": "tue", "zone": "Asia/Seoul"}


@pytest.mark.parametrize(
    ("facts", "name", "level"),
    [
        ({"freeze_at": TUESDAY + timedelta(minutes=30)}, "freeze_soon", RiskLevel.MEDIUM),
        ({"availability": None}, "budget_unknown", RiskLevel.LOW),
        ({"availability": 99.92}, "budget_low", RiskLevel.MEDIUM),
        ({"availability": 99.9}, "budget_gone", RiskLevel.HIGH),
        ({"availability": 98.0}, "budget_gone", RiskLevel.HIGH),
        ({"alerts": 1, "worst": Level.INFO}, "alerts", RiskLevel.LOW),
        ({"alerts": 2, "worst": Level.WARNING}, "alerts", RiskLevel.MEDIUM),
        ({"alerts": 2, "worst": Level.CRITICAL}, "alerts", RiskLevel.HIGH),
        ({"size": None}, "size_unknown", RiskLevel.LOW),
        ({"size": Size(1, 51, 1)}, "big", RiskLevel.MEDIUM),
        ({"size": Size(1, 1, 5001)}, "huge", RiskLevel.HIGH),
        ({"has_blue": False}, "no_blue", RiskLevel.HIGH),
        ({"left_out": 2}, "left_out", RiskLevel.LOW),
        ({"left_out": 3}, "left_out", RiskLevel.MEDIUM),
        ({"backwards": True}, "backwards", RiskLevel.MEDIUM),
        ({"same": True}, "same", RiskLevel.LOW),
        ({"last_went_back": True}, "last_went_back", RiskLevel.MEDIUM),
        ({"today": 0}, "first_today", RiskLevel.LOW),
    ],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_each_reason_by_itself_and_its_words(
    facts: dict[str, object], name: str, level: RiskLevel, language: str
) -> None:
    risk = risk_of(RULES, replace(CALM, **facts), TUESDAY)  # type: ignore[arg-type]  # mypy knows no fields here
    assert risk.level is level
    (reason,) = risk.reasons
    assert (reason.name, reason.level) == (name, level)
    sentence = Voice(language).phrase(f"deploy.risk.reason.{name}", **reason.values)
    assert sentence and "{" not in sentence and not sentence.startswith("deploy.")


def test_a_freeze_that_begins_later_is_none() -> None:
    facts = replace(CALM, freeze_at=TUESDAY + timedelta(minutes=31))
    assert risk_of(RULES, facts, TUESDAY).reasons == ()


def test_three_that_count_are_one_that_is_high_and_the_worst_come_first() -> None:
    facts = replace(CALM, backwards=True, last_went_back=True, today=0)
    assert risk_of(RULES, facts, TUESDAY).level is RiskLevel.MEDIUM
    risk = risk_of(RULES, replace(facts, left_out=4), TUESDAY)
    assert risk.level is RiskLevel.HIGH
    assert [reason.level for reason in risk.reasons] == [RiskLevel.MEDIUM] * 3 + [RiskLevel.LOW]


def test_working_hours_may_go_over_midnight() -> None:
    rules = replace(RULES, hours=Hours(time(20), time(4)))
    assert risk_of(rules, CALM, TUESDAY.replace(hour=21)).reasons == ()
    assert [each.name for each in risk_of(rules, CALM, TUESDAY).reasons] == ["off_hours"]


def test_half_of_the_budget_is_left_at_half_of_the_failures() -> None:
    assert budget_left(99.9, 99.95) == pytest.approx(50)
    assert budget_left(99.9, 100) == 100


@given(st.floats(50, 99.999), st.floats(0, 100))
def test_a_budget_is_a_percentage_and_grows_with_what_was_measured(target: float, measured: float) -> None:
    assert 0 <= budget_left(target, measured) <= budget_left(target, 100) <= 100
