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


def parse_bands(texts: Mapping[str, object], unit: Unit | None) -> Bands:
    """The bands of a metric from their texts under `target` and level names.

    `unit` is the one the metric is measured in; None takes it from the texts. Every value is in exactly one
    band: a bound that two bands share belongs to the range (`"70-85%"` has 70 and 85), between two ranges to
    the worse one, and `<=` or `>=` claims it. Raises BandsInvalid with every fault found.
    """
    problems: list[BandProblem] = []
    raw = _texts(texts, problems)
    written, unit = _read_all(raw, unit, problems)
    if TARGET not in texts:
        problems.append(BandProblem("", BandFault.NO_TARGET, {}))
    elif len(texts) == 1:
        problems.append(BandProblem("", BandFault.NO_LEVEL, {}))
    if problems:
        raise BandsInvalid(tuple(problems))
    ordered = [written[TARGET], *(written[level.word] for level in Level if level.word in written)]
    rising = ordered[0].low is None
    _check_order(ordered, rising)
    bands = _join(ordered, rising)
    levels = {Level.of(part.key): band for part, band in zip(ordered[1:], bands[1:], strict=True)}
    return Bands(unit=unit.value, rising=rising, target=bands[0], levels=MappingProxyType(levels))


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


def _check_order(ordered: list[_Written], rising: bool) -> None:
    """Raises BandsInvalid unless the bands lie one behind the other, from the target to the worst."""
    target, worst = ordered[0], ordered[-1]
    if target.low is not None and target.high is not None:
        raise _invalid(target, BandFault.TARGET_CLOSED)
    starts = []
    for part in ordered[1:]:
        edge = part.low if rising else part.high
        if edge is None:
            raise _invalid(part, BandFault.SAME_SIDE, other=target.text)
        starts.append(edge.value if rising else -edge.value)
    for milder, worse, first, second in zip(ordered[1:], ordered[2:], starts, starts[1:], strict=False):
        if second <= first:
            raise _invalid(worse, BandFault.WRONG_ORDER, milder=milder.key, other=milder.text)
    if (worst.high if rising else worst.low) is not None:
        raise _invalid(worst, BandFault.WORST_CLOSED, sign=">" if rising else "<")


def _join(ordered: list[_Written], rising: bool) -> list[Band]:
    """The bands, each shared bound given to one of its neighbours; BandsInvalid if they don't meet."""
    problems = []
    ends: list[bool] = []
    for milder, worse in pairwise(ordered):
        leaving, entering = (milder.high, worse.low) if rising else (milder.low, worse.high)
        values = {"other": milder.text, "from": "", "to": "" if entering is None else entering.shown}
        if entering is None or leaving is None or _beyond(leaving.value, entering.value, rising):
            values |= {"from": values["to"], "to": "" if leaving is None else leaving.shown}
            problems.append(_problem(worse, BandFault.OVERLAP, **values))
        elif leaving.value != entering.value:
            problems.append(_problem(worse, BandFault.GAP, **(values | {"from": leaving.shown})))
        elif leaving.owned and entering.owned:
            problems.append(_problem(worse, BandFault.OVERLAP, **(values | {"from": leaving.shown})))
        elif leaving.owned is False and entering.owned is False and worse is ordered[-1]:
            problems.append(_problem(worse, BandFault.GAP_AT_BOUND, **values))
        else:
            # A range gives way to `<=` and takes what `<` leaves; of two ranges the worse has the bound.
            ends.append(bool(leaving.owned) or entering.owned is False)
    if problems:
        raise BandsInvalid(tuple(problems))
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


def _invalid(part: _Written, fault: BandFault, **values: str) -> BandsInvalid:
    return BandsInvalid((_problem(part, fault, **values),))
