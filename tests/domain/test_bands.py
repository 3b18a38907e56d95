"""Bands: the source document's notation, one band for every value, and hysteresis."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.band_notation import BandFault, BandsInvalid, parse_bands
from bot.domain.bands import Band, Bands
from bot.domain.levels import Level
from probes.base import Unit

CPU = {"target": "< 70%", "warning": "70-85%", "critical": "> 85%"}
UPTIME = {"target": "> 99.9%", "warning": "99.5-99.9%", "critical": "< 99.5%"}


def cpu() -> Bands:
    return parse_bands(CPU, Unit.PERCENT)


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (-math.inf, None),
        (0.0, None),
        (69.99, None),
        (70.0, Level.WARNING),
        (85.0, Level.WARNING),
        (85.01, Level.CRITICAL),
        (math.inf, Level.CRITICAL),
    ],
)
def test_a_shared_bound_belongs_to_the_middle_band(value: float, level: Level | None) -> None:
    assert cpu().level_of(value) == level


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (math.inf, None),
        (99.95, None),
        (99.9, Level.WARNING),
        (99.5, Level.WARNING),
        (99.4, Level.CRITICAL),
        (-math.inf, Level.CRITICAL),
    ],
)
def test_low_is_bad_when_the_target_is_high(value: float, level: Level | None) -> None:
    bands = parse_bands(UPTIME, Unit.PERCENT)
    assert not bands.rising
    assert bands.level_of(value) == level


def test_it_keeps_the_text_as_it_was_written() -> None:
    bands = cpu()
    assert bands.target.text == "< 70%"
    assert bands.band_of(72).text == "70-85%"
    assert bands.band_of(10) is bands.target


def test_the_entry_is_the_line_where_a_level_begins() -> None:
    assert (cpu().entry(Level.WARNING), cpu().entry(Level.CRITICAL)) == (70, 85)
    uptime = parse_bands(UPTIME, Unit.PERCENT)
    assert (uptime.entry(Level.WARNING), uptime.entry(Level.CRITICAL)) == (99.9, 99.5)
    with pytest.raises(KeyError):
        cpu().entry(Level.ERROR)


@pytest.mark.parametrize(
    ("texts", "unit", "bounds"),
    [
        ({"target": "< 200ms", "warning": "200-500ms", "critical": "> 500ms"}, Unit.MILLISECONDS, (200, 500)),
        ({"target": "<0.2s", "warning": "200ms - 0.5 s", "critical": ">.5s"}, Unit.MILLISECONDS, (200, 500)),
        ({"target": "> 1000 rps", "warning": "500-1000 rps", "critical": "< 500 rps"}, None, (1000, 500)),
        ({"target": "> 1,000rps", "warning": "500–1,000 rps", "critical": "<500rps"}, None, (1000, 500)),
        ({"target": "< 1 GiB", "warning": "1 ~ 2 GiB", "critical": "> 2048 MiB"}, Unit.BYTES, (2**30, 2**31)),
        ({"target": "< 1MB/s", "warning": "1-2.5 MB/s", "critical": "> 2.5MB/s"}, None, (1e6, 2.5e6)),
        ({"target": "< 70 %", "warning": "70% - 85%", "critical": "> 85 %"}, Unit.PERCENT, (70, 85)),
        ({"target": "< 1", "warning": "1-2", "critical": "> 2"}, Unit.COUNT, (1, 2)),
        ({"target": "> -5", "warning": "-10--5", "critical": "< -10"}, Unit.COUNT, (-5, -10)),
        ({"target": "< 1 /s", "warning": "1-10 /s", "critical": "> 10 /s"}, Unit.PER_SECOND, (1, 10)),
    ],
)
def test_it_reads_the_notation(texts: dict[str, str], unit: Unit | None, bounds: tuple[float, float]) -> None:
    bands = parse_bands(texts, unit)
    assert (bands.entry(Level.WARNING), bands.entry(Level.CRITICAL)) == bounds


def test_a_unit_is_taken_from_the_texts_when_the_metric_has_none() -> None:
    assert parse_bands({"target": "< 2 min", "warning": ">= 2 min"}, None).unit == "s"
    assert parse_bands({"target": "< 5 MiB", "warning": ">= 5 MiB"}, None).unit == "B"
    assert parse_bands({"target": "< 5 ms", "warning": ">= 5 ms"}, None).unit == "ms"
    assert parse_bands({"target": "< 5", "warning": ">= 5"}, None).unit == ""


def test_two_bands_meet_where_one_of_them_claims_the_bound() -> None:
    from_80 = parse_bands({"target": "< 80%", "warning": ">= 80%"}, Unit.PERCENT)
    above_80 = parse_bands({"target": "≤ 80%", "warning": "> 80%"}, Unit.PERCENT)
    assert (from_80.level_of(80), above_80.level_of(80)) == (Level.WARNING, None)


def test_a_range_gives_way_to_a_neighbour_that_claims_the_bound() -> None:
    bands = parse_bands({"target": "<= 70%", "warning": "70-85%", "critical": ">= 85%"}, Unit.PERCENT)
    assert [bands.level_of(value) for value in (70, 71, 85)] == [None, Level.WARNING, Level.CRITICAL]


def test_between_two_ranges_the_bound_is_the_worse_ones() -> None:
    texts = {
        "target": "< 50%",
        "info": "50-60%",
        "warning": "60-70%",
        "error": "70-80%",
        "emergency": "> 80%",
    }
    bands = parse_bands(texts, Unit.PERCENT)
    levels = [bands.level_of(value) for value in (49, 50, 60, 70, 80, 81)]
    assert levels == [None, Level.INFO, Level.WARNING, Level.ERROR, Level.ERROR, Level.EMERGENCY]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({}, [("", BandFault.NO_TARGET)]),
        ({"warning": "> 70%"}, [("", BandFault.NO_TARGET)]),
        ({"target": "< 70%"}, [("", BandFault.NO_LEVEL)]),
        ({"target": 70, "warning": "> 70%"}, [("target", BandFault.NOT_TEXT)]),
        ({**CPU, "warnign": "70-85%"}, [("warnign", BandFault.UNKNOWN_LEVEL)]),
        ({**CPU, "critical": "70% or so"}, [("critical", BandFault.UNREADABLE)]),
        ({**CPU, "critical": "> 85,5%"}, [("critical", BandFault.UNREADABLE)]),
        ({**CPU, "critical": "> 85 pigs"}, [("critical", BandFault.UNIT_UNKNOWN)]),
        ({**CPU, "critical": "> 85"}, [("critical", BandFault.UNIT_MISSING)]),
        ({**CPU, "critical": "> 85ms"}, [("critical", BandFault.UNIT_FOREIGN)]),
        ({**CPU, "warning": "85-70%"}, [("warning", BandFault.REVERSED)]),
        ({**CPU, "warning": "70-70%"}, [("warning", BandFault.REVERSED)]),
        ({**CPU, "target": "40-70%"}, [("target", BandFault.TARGET_CLOSED)]),
        ({**CPU, "critical": "< 20%"}, [("critical", BandFault.SAME_SIDE)]),
        ({**CPU, "critical": "85-100%"}, [("critical", BandFault.WORST_CLOSED)]),
        ({**CPU, "warning": "> 85%", "critical": "70-85%"}, [("critical", BandFault.WRONG_ORDER)]),
        ({**CPU, "warning": "> 70%"}, [("critical", BandFault.OVERLAP)]),
        ({**CPU, "warning": "60-85%"}, [("warning", BandFault.OVERLAP)]),
        ({**CPU, "warning": "75-80%"}, [("warning", BandFault.GAP), ("critical", BandFault.GAP)]),
        ({"target": "< 80%", "warning": "> 80%"}, [("warning", BandFault.GAP_AT_BOUND)]),
        ({"target": "<= 80%", "warning": ">= 80%"}, [("warning", BandFault.OVERLAP)]),
        ({**UPTIME, "warning": "99.5-99.95%"}, [("warning", BandFault.OVERLAP)]),
        ({**UPTIME, "critical": "< 99%"}, [("critical", BandFault.GAP)]),
        # More than one fault: what can be compared still is.
        ({"warning": "70-85%", "critical": "> 85%"}, [("", BandFault.NO_TARGET)]),
        ({**CPU, "warning": "60-85%", "critical": "> 85"},
         [("critical", BandFault.UNIT_MISSING), ("warning", BandFault.OVERLAP)]),
        ({**CPU, "warning": "60-85%", "critical": "< 5%"},
         [("critical", BandFault.SAME_SIDE), ("warning", BandFault.OVERLAP)]),
        ({**CPU, "warning": "75-85%", "critical": "85-90%"},
         [("critical", BandFault.WORST_CLOSED), ("warning", BandFault.GAP)]),
    ],
)  # fmt: skip
def test_it_refuses_bands_that_contradict(
    texts: dict[str, object], expected: list[tuple[str, BandFault]]
) -> None:
    with pytest.raises(BandsInvalid) as refused:
        parse_bands(texts, Unit.PERCENT)
    assert [(problem.key, problem.fault) for problem in refused.value.problems] == expected


def test_texts_of_different_units_are_refused_when_the_metric_has_none() -> None:
    with pytest.raises(BandsInvalid) as refused:
        parse_bands({"target": "< 70%", "critical": ">= 70ms"}, None)
    assert [problem.fault for problem in refused.value.problems] == [BandFault.UNIT_MIXED]


def test_a_refusal_says_between_which_bounds() -> None:
    with pytest.raises(BandsInvalid) as refused:
        parse_bands({**CPU, "warning": "75-85%"}, Unit.PERCENT)
    (problem,) = refused.value.problems
    assert dict(problem.values) == {"text": "75-85%", "other": "< 70%", "from": "70%", "to": "75%"}


@pytest.mark.parametrize(
    ("value", "current", "held"),
    [
        (86, Level.CRITICAL, Level.CRITICAL),
        (81, Level.CRITICAL, Level.CRITICAL),
        (79.9, Level.CRITICAL, Level.WARNING),
        (66, Level.CRITICAL, Level.WARNING),
        (65, Level.WARNING, Level.WARNING),
        (64.9, Level.WARNING, None),
        (64.9, Level.CRITICAL, None),
        (86, Level.WARNING, Level.CRITICAL),
        (82, Level.WARNING, Level.WARNING),
        (82, Level.ERROR, Level.WARNING),
    ],
)
def test_a_level_is_left_only_beyond_the_margin(value: float, current: Level, held: Level | None) -> None:
    assert cpu().level_held(value, current, margin=5) == held


def test_the_margin_lies_above_the_bound_when_low_is_bad() -> None:
    bands = parse_bands({"target": "> 1000 rps", "warning": "500-1000 rps", "critical": "< 500 rps"}, None)
    values = (1051, 1050, 550, 549, 499)
    held = [bands.level_held(value, Level.CRITICAL, margin=50) for value in values]
    assert held == [None, Level.WARNING, Level.WARNING, Level.CRITICAL, Level.CRITICAL]


@pytest.mark.parametrize(
    ("texts", "margin"),
    [
        (CPU, 5),
        ({"target": "< 0.1%", "warning": "0.1-1%", "critical": "> 1%"}, 0.02),
        (UPTIME, 0.02),
        ({"target": "< 200ms", "warning": ">= 200ms"}, 10),
        ({"target": "> 1000 rps", "warning": "<= 1000 rps"}, 50),
    ],
)
def test_the_default_margin_can_be_reached(texts: dict[str, str], margin: float) -> None:
    bands = parse_bands(texts, None)
    assert bands.default_margin() == pytest.approx(margin)
    best = 0.0 if bands.rising else (100.0 if bands.unit == "%" else 1e9)
    assert bands.level_held(best, max(bands.levels), bands.default_margin()) is None


finite = st.floats(min_value=-1e6, max_value=1e6)
values = st.floats(allow_nan=False)
levels = st.sampled_from(Level)


@st.composite
def any_bands(draw: st.DrawFn) -> Bands:
    """Bands of one to five levels, either side bad, in any notation that is allowed."""
    chosen = sorted(draw(st.sets(levels, min_size=1)))
    bounds = sorted(draw(st.sets(st.integers(-1000, 1000), min_size=len(chosen), max_size=len(chosen))))
    rising = draw(st.booleans())
    if not rising:
        bounds.reverse()
    good, bad = ("<", ">") if rising else (">", "<")
    dash = draw(st.sampled_from(["-", "–", " ~ "]))
    texts = {}
    for index, level in enumerate(chosen[:-1]):
        low, high = sorted((bounds[index], bounds[index + 1]))
        texts[level.word] = f"{low}{dash}{high}"
    single = len(chosen) == 1
    target_sign = good + ("=" if draw(st.booleans()) else "")
    texts["target"] = f"{target_sign} {bounds[0]}"
    worst_equal = not target_sign.endswith("=") if single else draw(st.booleans())
    texts[chosen[-1].word] = f"{bad}{'=' if worst_equal else ''} {bounds[-1]}"
    return parse_bands(texts, Unit.COUNT)


@given(any_bands(), st.one_of(values, st.integers(-1001, 1001).map(float)))
def test_every_value_is_in_exactly_one_band(bands: Bands, value: float) -> None:
    holding: list[Band] = [band for band in (bands.target, *bands.levels.values()) if value in band]
    assert len(holding) == 1
    assert bands.band_of(value) is holding[0]


@given(any_bands(), values, values)
def test_a_worse_value_never_has_a_milder_level(bands: Bands, one: float, other: float) -> None:
    better, worse = sorted((one, other), reverse=not bands.rising)
    assert (bands.level_of(better) or 0) <= (bands.level_of(worse) or 0)


@given(any_bands(), finite, levels, st.floats(min_value=0, max_value=1e4))
def test_hysteresis_holds_but_never_raises(bands: Bands, value: float, current: Level, margin: float) -> None:
    level, held = bands.level_of(value), bands.level_held(value, current, margin)
    assert (held or 0) >= (level or 0)
    assert (held or 0) <= max(level or 0, current)
    assert held is None or held in bands.levels


@given(any_bands(), finite, levels)
def test_without_a_margin_nothing_is_held(bands: Bands, value: float, current: Level) -> None:
    assert bands.level_held(value, current, 0.0) == bands.level_of(value)


@given(any_bands(), finite, levels, st.floats(min_value=0, max_value=1e4))
def test_a_level_is_held_as_long_as_the_value_is_within_the_margin(
    bands: Bands, value: float, current: Level, margin: float
) -> None:
    assume(current in bands.levels)
    distance = bands.entry(current) - value if bands.rising else value - bands.entry(current)
    held = bands.level_held(value, current, margin)
    if distance > margin + 1e-6:
        assert held is None or held < current
    elif distance < margin - 1e-6:
        assert held is not None
        assert held >= current


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"target": "< 70%", "warning": ">= 70%"}, []),
        ({"target": "<= 0%", "warning": "> 0%"}, []),
        ({"target": ">= 100%", "warning": "< 100%"}, []),
        ({"target": "< 0%", "warning": ">= 0%"}, [("target", BandFault.UNREACHABLE)]),
        ({"target": "> 100%", "warning": "<= 100%"}, [("target", BandFault.UNREACHABLE)]),
        ({"target": "<= 100%", "warning": "> 100%"}, [("warning", BandFault.UNREACHABLE)]),
        ({"target": "< 70%", "warning": "70-120%", "critical": "> 120%"},
         [("warning", BandFault.IMPOSSIBLE), ("critical", BandFault.IMPOSSIBLE)]),
        ({"target": "< -1%", "warning": ">= -1%"},
         [("target", BandFault.IMPOSSIBLE), ("warning", BandFault.IMPOSSIBLE)]),
    ],
)  # fmt: skip
def test_bounds_lie_where_values_can_be(texts: dict[str, str], expected: list[tuple[str, BandFault]]) -> None:
    found: list[tuple[str, BandFault]] = []
    try:
        parse_bands(texts, Unit.PERCENT, (0, 100))
    except BandsInvalid as refused:
        found = [(problem.key, problem.fault) for problem in refused.problems]
    assert found == expected
    assert parse_bands({"target": "< 120%", "warning": ">= 120%"}, Unit.PERCENT).entry(Level.WARNING) == 120
