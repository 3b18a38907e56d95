"""What a look at the machine says after a stage of a cleanup."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts.model import Rule
from bot.domain.band_notation import parse_bands
from bot.domain.bands import Bands
from bot.domain.cleanup.health import Look, Measure, look_of, looked_again, measures, suspects, told
from probes.base import Layer, ProblemKind, Reading, Unit, measured, unmeasured
from tests.factories import CPU, T0

INFRA, APP = Layer.INFRASTRUCTURE, Layer.APPLICATION
BUSY = Measure("cpu_usage", "web-1")
SHOP = Measure("reachable", "shop")
REACHABLE = parse_bands({"target": ">= 1", "critical": "< 1"}, Unit.COUNT)


class Bandings:
    """Bands by metric, and how many bad checks in a row make a critical alert."""

    def __init__(self, bands: Mapping[str, Bands], critical: int = 2) -> None:
        self._bands, self._critical = bands, critical

    def rule_for(self, metric: str, target: str, layer: Layer) -> Rule:
        return Rule(metric, layer, self._bands.get(metric), confirm=9, confirm_critical=self._critical)


RULES = Bandings({"cpu_usage": CPU, "reachable": REACHABLE})


def cpu(value: float) -> tuple[str, Layer, Reading]:
    return "cpu", INFRA, measured("cpu_usage", "web-1", value, Unit.PERCENT, T0)


def shop(value: float) -> tuple[str, Layer, Reading]:
    return "response_time", APP, measured("reachable", "shop", value, Unit.COUNT, T0)


def blind(probe: str, metric: str, target: str) -> tuple[str, Layer, Reading]:
    return probe, INFRA, unmeasured(metric, target, Unit.PERCENT, T0, ProblemKind.TIMEOUT)


@pytest.mark.parametrize(("value", "bad"), [(50.0, False), (80.0, False), (85.0, False), (85.1, True)])
def test_only_critical_is_bad(value: float, bad: bool) -> None:
    look = look_of([cpu(value)], RULES)
    assert (BUSY in look.bad, BUSY in look.well) == (bad, not bad)


def test_an_address_that_does_not_answer_is_bad_even_without_bands() -> None:
    assert SHOP in look_of([shop(0.0)], Bandings({})).bad
    assert SHOP in look_of([shop(1.0)], Bandings({})).well


def test_what_has_no_bands_says_nothing() -> None:
    look = look_of([cpu(99.0)], Bandings({}))
    assert (dict(look.bad), look.well, look.unknown) == ({}, frozenset(), frozenset())


def test_no_reading_is_neither_well_nor_bad() -> None:
    look = look_of([blind("disk", "disk_usage", "web-1:/srv")], RULES)
    assert (dict(look.bad), look.well) == ({}, frozenset())
    assert look.unknown == {("disk", "web-1:/srv")}
    assert told(look, ())["unknown"] == [{"probe": "disk", "target": "web-1:/srv"}]


def test_how_fast_an_address_answers_that_does_not_is_no_second_question() -> None:
    look = look_of([blind("response_time", "response_time", "shop"), shop(0.0)], RULES)
    assert look.unknown == frozenset()


@pytest.mark.parametrize(("configured", "looks"), [(1, 2), (2, 2), (3, 3), (50, 4)])
def test_a_rule_says_how_often_one_looks_within_bounds(configured: int, looks: int) -> None:
    rules = Bandings({"cpu_usage": CPU}, configured)
    assert look_of([cpu(99.0)], rules).bad == {BUSY: looks}


def test_what_was_bad_before_is_no_suspect() -> None:
    look = look_of([cpu(99.0), shop(0.0)], RULES)
    assert set(suspects(look, {BUSY})) == {SHOP}
    assert set(suspects(look, ())) == {BUSY, SHOP}


def test_only_a_good_reading_clears_a_suspect() -> None:
    first = look_of([cpu(99.0), shop(0.0)], RULES)
    again = looked_again(first, look_of([cpu(40.0), blind("response_time", "reachable", "shop")], RULES))
    assert set(again.bad) == {SHOP}
    assert BUSY in again.well


def test_what_is_told_names_what_was_looked_at() -> None:
    readings = [
        cpu(40.0),
        *(("response_time", APP, measured("reachable", f"s{n}", 1.0, Unit.COUNT, T0)) for n in range(7)),
    ]
    facts = told(look_of(readings, RULES), {Measure("disk_usage", "web-1:/")})
    assert facts == {
        "well": 8,
        "probes": ["cpu"],
        "addresses": ["s0", "s1", "s2", "s3", "s4"],
        "more": 2,
        "bad": [{"metric": "disk_usage", "target": "web-1:/"}],
        "unknown": [],
        "unknowns": 0,
    }


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([40.0, 99.0, None]), max_size=6),
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([40.0, 99.0, None]), max_size=6),
    st.frozensets(st.sampled_from("abcdef")),
)
def test_nothing_fails_a_stage_without_a_bad_reading_that_no_look_contradicts(
    first: Mapping[str, float | None], second: Mapping[str, float | None], before: frozenset[str]
) -> None:
    def look(values: Mapping[str, float | None]) -> Look:
        return look_of(
            [
                ("cpu", INFRA, measured("cpu_usage", target, value, Unit.PERCENT, T0))
                if value is not None
                else blind("cpu", "cpu_usage", target)
                for target, value in values.items()
            ],
            RULES,
        )

    known = {Measure("cpu_usage", target) for target in before}
    found = suspects(looked_again(look(first), look(second)), known)
    assert {each.target for each in found} == {
        target for target, value in first.items() if value == 99.0 and second.get(target) != 40.0
    } - before
    assert len(measures(found)) == min(len(found), 5)
