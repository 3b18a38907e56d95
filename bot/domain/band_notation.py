"""Reads bands as the source document writes them: `"< 70%"`, `"70-85%"`, `"> 85%"`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from bot.domain.bands import Band, Bands
from bot.domain.levels import Level
from bot.domain.units import WrittenUnit, in_unit, measured_in, written_unit
from probes.base import Unit

_NUMBER = r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_UNIT = r"[^\d\s<>=≤≥~–—-][^\d<>=≤≥~–—-]*"
_SIDE = re.compile(rf"(?P<sign><=|>=|[<>≤≥])\s*(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})?")
_RANGE = re.compile(
    rf"(?P<low>{_NUMBER})\s*(?P<low_unit>{_UNIT})?\s*[-–—~]\s*(?P<high>{_NUMBER})\s*(?P<high_unit>{_UNIT})?"
)

BAND_PATTERN = rf"^\s*(?:(?:<=|>=|[<>≤≥])\s*{_NUMBER}|{_NUMBER}\s*[^\d]*[-–—~]\s*{_NUMBER})\s*[^\d]*$"
"""What a band looks like, roughly, for editors (JSON Schema); `parse_bands` is what decides."""

TARGET = "target"


class BandFault(StrEnum):
    """What is wrong with a set of bands; the sentences are in messages/."""

    NOT_TEXT = "band_not_text"
    UNREADABLE = "band_unreadable"
    UNKNOWN_LEVEL = "band_unknown_level"
    NO_TARGET = "band_no_target"
    NO_LEVEL = "band_no_level"
    UNIT_UNKNOWN = "band_unit_unknown"
    UNIT_MISSING = "band_unit_missing"
    UNIT_FOREIGN = "band_unit_foreign"
    UNIT_MIXED = "band_unit_mixed"
    REVERSED = "band_reversed"
    TARGET_CLOSED = "band_target_closed"
    SAME_SIDE = "band_same_side"
    WORST_CLOSED = "band_worst_closed"
    WRONG_ORDER = "band_wrong_order"
    OVERLAP = "band_overlap"
    GAP = "band_gap"
    GAP_AT_BOUND = "band_gap_at_bound"
    IMPOSSIBLE = "band_impossible"
    UNREACHABLE = "band_unreachable"


@dataclass(frozen=True, slots=True)
class BandProblem:
    """One fault, under which key (`target`, a level's name, or empty for all together), and its values."""

    key: str
    fault: BandFault
    values: Mapping[str, str]


class BandsInvalid(ValueError):
    """These texts don't make one band for every value. `problems` has everything that is wrong."""

    def __init__(self, problems: tuple[BandProblem, ...]) -> None:
        super().__init__(", ".join(f"{problem.key}: {problem.fault}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class _Edge:
    """A bound as written. `owned` is None where the notation leaves open whose the bound is (a range)."""

    value: float
    owned: bool | None
    shown: str


@dataclass(frozen=True, slots=True)
class _Written:
    """One band as written, in the metric's own unit."""

    key: str
    text: str
    low: _Edge | None
    high: _Edge | None


def parse_bands(
    texts: Mapping[str, object], unit: Unit | None, possible: tuple[float, float] | None = None
) -> Bands:
    """The bands of a metric from their texts under `target` and level names.

    `unit` is the one the metric is measured in; None takes it from the texts. Every value is in exactly one
    band: a bound that two bands share belongs to the range (`"70-85%"` has 70 and 85), between two ranges to
    the worse one, and `<=` or `>=` claims it. `possible` has the least and the greatest value that there can
    be, in `unit`, if that is known: a bound beyond them is a fault. Raises BandsInvalid with every fault
    found; bands that can't be read are left out when their neighbours are compared.
    """
    problems: list[BandProblem] = []
    raw = _texts(texts, problems)
    written, unit = _read_all(raw, unit, problems)
    if TARGET not in texts:
        problems.append(BandProblem("", BandFault.NO_TARGET, {}))
    elif len(texts) == 1:
        problems.append(BandProblem("", BandFault.NO_LEVEL, {}))
    if possible is not None:
        problems += _impossible(written, possible, unit)
    keys = [key for key in (TARGET, *(level.word for level in Level)) if key in texts]
    ordered = [written.get(key) for key in keys]
    rising = bool(ordered) and ordered[0] is not None and ordered[0].low is None
    if TARGET in texts and len(ordered) > 1:
        problems += _misplaced(ordered, rising)
    if problems:
        raise BandsInvalid(tuple(problems))
    bands = _join([part for part in ordered if part is not None], rising)
    levels = {Level.of(key): band for key, band in zip(keys[1:], bands[1:], strict=True)}
    return Bands(unit=unit.value, rising=rising, target=bands[0], levels=MappingProxyType(levels))


def _impossible(
    written: Mapping[str, _Written], possible: tuple[float, float], unit: Unit
) -> list[BandProblem]:
    """The bands with bounds that no value reaches, or that no value is in."""
    low, high = possible
    values = {"low": f"{low:g}{unit.value}", "high": f"{high:g}{unit.value}"}
    problems = []
    for part in written.values():
        edges = [edge for edge in (part.low, part.high) if edge is not None]
        if any(not low <= edge.value <= high for edge in edges):
            problems.append(_problem(part, BandFault.IMPOSSIBLE, **values))
        elif (part.low is None and edges[0].value == low and not edges[0].owned) or (
            part.high is None and edges[0].value == high and not edges[0].owned
        ):
            problems.append(_problem(part, BandFault.UNREACHABLE, **values))
    return problems


def _texts(texts: Mapping[str, object], problems: list[BandProblem]) -> dict[str, str]:
    known = {TARGET, *(level.word for level in Level)}
    found = {}
    for key, text in texts.items():
        if key not in known:
            problems.append(BandProblem(key, BandFault.UNKNOWN_LEVEL, {"word": key}))
        elif not isinstance(text, str):
            problems.append(BandProblem(key, BandFault.NOT_TEXT, {"text": str(text)}))
        else:
            found[key] = text.strip()
    return found


def _read_all(
    raw: Mapping[str, str], unit: Unit | None, problems: list[BandProblem]
) -> tuple[dict[str, _Written], Unit]:
    """Each text as a band, in `unit` or, if that is None, in the unit of the first text that has one."""
    inferred = unit is None
    written = {}
    for key, text in raw.items():
        match = _SIDE.fullmatch(text) or _RANGE.fullmatch(text)
        if match is None:
            problems.append(BandProblem(key, BandFault.UNREADABLE, {"text": text}))
            continue
        groups = match.groupdict()
        ends = (
            [(groups["number"], groups["unit"])]
            if "sign" in groups
            # "70-85%": the unit is written once, behind the second number.
            else [
                (groups["low"], groups["low_unit"] or groups["high_unit"]),
                (groups["high"], groups["high_unit"]),
            ]
        )
        values = []
        for number, name in ends:
            name = (name or "").strip()
            known = written_unit(name)
            if known is None:
                problems.append(BandProblem(key, BandFault.UNIT_UNKNOWN, {"text": text, "unit": name}))
                break
            if unit is None:
                unit = measured_in(known, name)
            value = _value(number, known, unit)
            if value is None:
                fault = _unit_fault(name, inferred)
                problems.append(BandProblem(key, fault, {"text": text, "unit": name, "own": unit.value}))
                break
            values.append(_Edge(value, None, f"{number}{name}"))
        if len(values) < len(ends):
            continue
        if "sign" in groups:
            written[key] = _side(key, text, groups["sign"], values[0])
        elif values[0].value >= values[1].value:
            low, high = values[0].shown, values[1].shown
            problems.append(BandProblem(key, BandFault.REVERSED, {"text": text, "low": low, "high": high}))
        else:
            written[key] = _Written(key, text, *values)
    return written, unit or Unit.COUNT


def _value(number: str, written: WrittenUnit, unit: Unit) -> float | None:
    return in_unit(float(number.replace(",", "")), written, unit)


def _unit_fault(name: str, inferred: bool) -> BandFault:
    if not name:
        return BandFault.UNIT_MISSING
    return BandFault.UNIT_MIXED if inferred else BandFault.UNIT_FOREIGN


def _side(key: str, text: str, sign: str, edge: _Edge) -> _Written:
    edge = _Edge(edge.value, sign in ("<=", ">=", "≤", "≥"), edge.shown)
    return _Written(key, text, None, edge) if sign[0] in "<≤" else _Written(key, text, edge, None)


def _misplaced(ordered: list[_Written | None], rising: bool) -> list[BandProblem]:
    """What is wrong with the bands' places, from the target to the worst; None is one that can't be read."""
    target, worst = ordered[0], ordered[-1]
    if target is None:
        return []
    if target.low is not None and target.high is not None:
        # Which side is the good one?
        return [_problem(target, BandFault.TARGET_CLOSED)]
    problems = []
    fitting = list(ordered)
    for index, part in enumerate(ordered[1:], start=1):
        if part is not None and (part.low if rising else part.high) is None:
            problems.append(_problem(part, BandFault.SAME_SIDE, other=target.text))
            fitting[index] = None
    swapped = [
        _problem(worse, BandFault.WRONG_ORDER, milder=milder.key, other=milder.text)
        for milder, worse in pairwise(fitting[1:])
        if milder is not None and worse is not None and _start(worse, rising) <= _start(milder, rising)
    ]
    if swapped:
        return problems + swapped  # where they meet says nothing before they are swapped
    if worst is not None and worst is fitting[-1] and (worst.high if rising else worst.low) is not None:
        problems.append(_problem(worst, BandFault.WORST_CLOSED, sign=">" if rising else "<"))
    for milder, worse in pairwise(fitting):
        if milder is not None and worse is not None:
            problems += _seam(milder, worse, rising, worse is worst)
    return problems


def _start(part: _Written, rising: bool) -> float:
    """Where a level begins, growing towards the bad side."""
    edge = part.low if rising else part.high
    assert edge is not None  # noqa: S101 - those without one are refused before
    return edge.value if rising else -edge.value


def _seam(milder: _Written, worse: _Written, rising: bool, is_last: bool) -> list[BandProblem]:
    """The fault where two neighbours meet, if there is one."""
    leaving, entering = (milder.high, worse.low) if rising else (milder.low, worse.high)
    values = {"other": milder.text, "from": "", "to": "" if entering is None else entering.shown}
    if entering is None or leaving is None or _beyond(leaving.value, entering.value, rising):
        values |= {"from": values["to"], "to": "" if leaving is None else leaving.shown}
        return [_problem(worse, BandFault.OVERLAP, **values)]
    if leaving.value != entering.value:
        return [_problem(worse, BandFault.GAP, **(values | {"from": leaving.shown}))]
    if leaving.owned and entering.owned:
        return [_problem(worse, BandFault.OVERLAP, **(values | {"from": leaving.shown}))]
    if leaving.owned is False and entering.owned is False and is_last:
        return [_problem(worse, BandFault.GAP_AT_BOUND, **values)]
    return []


def _join(ordered: list[_Written], rising: bool) -> list[Band]:
    """The bands, each shared bound given to one of its neighbours."""
    ends: list[bool] = []
    for milder, worse in pairwise(ordered):
        leaving, entering = (milder.high, worse.low) if rising else (milder.low, worse.high)
        # A range gives way to `<=` and takes what `<` leaves; of two ranges the worse has the bound.
        ends.append(
            (leaving is not None and bool(leaving.owned))
            or (entering is not None and entering.owned is False)
        )
    bands = []
    for index, part in enumerate(ordered):
        has_start = index > 0 and not ends[index - 1]
        has_end = index < len(ends) and ends[index]
        low_inclusive, high_inclusive = (has_start, has_end) if rising else (has_end, has_start)
        low = None if part.low is None else part.low.value
        high = None if part.high is None else part.high.value
        bands.append(Band(low, high, low_inclusive, high_inclusive, part.text))
    return bands


def _beyond(leaving: float, entering: float, rising: bool) -> bool:
    return leaving > entering if rising else leaving < entering


def _problem(part: _Written, fault: BandFault, **values: str) -> BandProblem:
    return BandProblem(part.key, fault, {"text": part.text, **values})
