"""Accuracy and noise: which rules paged most for least, and how they could be tuned (alerts.md, Resolve)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts.noise import (
    Accuracy,
    Fired,
    Setting,
    Suggestion,
    accuracy,
    hints_due,
    noise,
    suggested_bound,
    suggested_confirm,
)

MEMORY = Setting(bound=80, next_bound=90, rising=True, confirm=3, clear=2)


def fired(
    rule: str = "memory_usage",
    minutes: float | None = 4,
    peak: float | None = 82.0,
    pages: int = 1,
    seen: bool = False,
    useful: int = 0,
    useless: int = 0,
) -> Fired:
    lasted = None if minutes is None else timedelta(minutes=minutes)
    return Fired(rule, "%", pages, lasted, seen, seen, peak, useful, useless)


def test_the_figures_of_a_rule() -> None:
    (rule,) = noise(
        [fired(minutes=2), fired(minutes=4, seen=True, useful=1), fired(minutes=9), fired(minutes=None)],
        days=10,
    )
    assert (rule.alerts, rule.pages, rule.per_day) == (4, 4, 0.4)
    assert rule.duration == timedelta(minutes=4)
    assert rule.acked == 0.25
    assert rule.unseen == pytest.approx(2 / 3)
    assert rule.accuracy == Accuracy(1, 0)


def test_the_rule_that_paged_most_for_least_comes_first() -> None:
    rules = noise(
        [
            *(fired("useful", pages=9, seen=True) for _ in range(20)),
            *(fired("noisy", pages=2) for _ in range(5)),
            *(fired("quiet", pages=0) for _ in range(8)),
            fired("once", pages=1),
        ],
        days=30,
    )
    assert [rule.rule for rule in rules] == ["noisy", "once", "quiet", "useful"]


def test_ratings_outweigh_whether_anyone_looked() -> None:
    rules = noise([fired("a", useful=3), fired("b", seen=True, useless=3)], days=30)
    assert [(rule.rule, rule.waste) for rule in rules] == [("b", 1.0), ("a", 0.0)]
    assert noise([fired("b", seen=True, useless=2)], days=30)[0].waste == 0.0, "two ratings say little"


def test_nothing_fired_is_nothing_to_report() -> None:
    assert noise([], days=30) == ()
    assert accuracy([]).share is None


def test_accuracy_is_the_share_of_useful_ratings() -> None:
    assert accuracy([fired(useful=17), fired(useless=3)]).share == 0.85


@pytest.mark.parametrize(
    ("peaks", "setting", "bound", "spared"),
    [
        ([81, 82, 83, 84, 95], MEMORY, 84, 3),
        ([81, 81.4, 81.6, 88, 89, 95], MEMORY, 82, 3),
        ([91, 92, 93, 94, 95], MEMORY, None, 0),  # beyond the next level
        ([81, 82, 83, 84], MEMORY, None, 0),  # too few
        ([950, 940, 930, 700, 600], Setting(1000, 500, False, 3, 2), 920, 3),
        ([91, 92, 93, 94, 99], Setting(80, None, True, 3, 2), 94, 3),
        ([0.12, 0.13, 0.2, 0.5, 0.6], Setting(0.1, 1, True, 3, 2), 0.205, 3),
        ([0, 0, 0, 0, 0], Setting(1, None, False, 3, 2), None, 0),
        ([100, 100, 100, 100, 100], Setting(80, None, True, 3, 2), None, 0),
    ],
)
def test_a_bound_that_half_of_the_alerts_would_not_have_reached(
    peaks: list[float], setting: Setting, bound: float | None, spared: int
) -> None:
    found = suggested_bound([fired(peak=peak) for peak in peaks], setting)
    if bound is None:
        assert found is None
    else:
        assert found == Suggestion("bound", bound, setting.bound, spared, 0)


@given(
    st.lists(st.floats(80, 100), min_size=5, max_size=50),
    st.booleans(),
)
def test_a_suggested_bound_spares_half_and_is_stricter(peaks: list[float], rising: bool) -> None:
    setting = Setting(80, None, True, 3, 2) if rising else Setting(100, None, False, 3, 2)
    found = suggested_bound([fired(peak=peak) for peak in peaks], setting)
    if found is not None:
        assert found.spared * 2 >= len(peaks)
        assert found.value > 80 if rising else found.value < 100


def test_what_people_looked_at_is_not_suggested_away() -> None:
    peaks = [fired(peak=81 + index, seen=index < 2) for index in range(6)]
    assert suggested_bound(peaks, MEMORY) is None
    peaks = [fired(peak=81 + index, seen=index < 1) for index in range(6)]
    assert suggested_bound(peaks, MEMORY) == Suggestion("bound", 84, 80, 3, 1)


def test_short_alerts_are_spared_by_more_checks() -> None:
    short = [fired(minutes=minutes) for minutes in (0.5, 1.0, 1.25, 30, 60)]
    # Two good checks ended them: 0, 30 and 45 s were bad, so three more checks 15 s apart reach 45 s.
    assert suggested_confirm(short, MEMORY) == Suggestion("confirm", 7, 3, 3, 0)
    assert suggested_confirm([fired(minutes=30) for _ in range(9)], MEMORY) is None
    assert suggested_confirm([fired(minutes=None) for _ in range(9)], MEMORY) is None


def test_only_noisy_rules_with_alerts_enough_get_a_suggestion() -> None:
    def suggestion(*alerts: Fired) -> Suggestion | None:
        return noise(alerts, 30, {"memory_usage": MEMORY})[0].suggestion

    assert suggestion(*(fired(peak=81) for _ in range(5))) == Suggestion("bound", 82, 80, 5, 0)
    assert suggestion(*(fired(peak=81) for _ in range(4))) is None
    assert suggestion(*(fired(peak=81, seen=True) for _ in range(5))) is None
    assert noise([fired("DiskFilling") for _ in range(9)], 30, {"memory_usage": MEMORY})[0].suggestion is None


def test_a_hint_comes_with_every_fifth_and_only_once() -> None:
    told, hints = 0, []
    for useless in (1, 2, 3, 4, 5, 4, 5, 6, 9, 10, 10, 11):
        due = hints_due(useless, told)
        if due is not None:
            hints.append(useless)
            told = due
    assert hints == [5, 10]
