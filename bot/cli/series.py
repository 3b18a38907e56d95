"""Reads a series for `guardian simulate`: a CSV file, a row at a time, and everything that is wrong with it.

Two forms: `at, metric, target, value` (a row a reading), or a column for each series (`at, cpu_usage,
memory_usage@web-1`). An empty value is a reading that could not be taken. `event` and `by` are clicks.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from bot.cli.series_actions import Action, ActionInvalid, from_row
from bot.cli.series_lines import LineRefused, Lines
from bot.cli.series_moments import Moments, NoMoment
from bot.engine.virtual import Sample
from probes.base import Unit

LINES = 1_000_000
SHOWN = 20
"""Faults that are kept to be named; the others are counted."""
LONGEST = timedelta(days=400)
_LINE = 100_000
"""characters"""
_COLUMNS = 2_000
_AT = ("at", "time", "timestamp")
_LONG = ("metric", "target", "value")
_CLICKS = ("event", "by")
_LOOK = 8_192


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line: the key of a sentence and what it names. Line 0 is the file as a whole, or
    the option that `place` names."""

    line: int
    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says."""

    at: datetime
    samples: tuple[Sample, ...]
    action: Action | None = None


class _Stop(Exception):
    """No further line can be read."""


@dataclass(slots=True)
class Span:
    """What the rows have in common. `gaps` counts the times between two readings of one metric and target."""

    begins: datetime | None = None
    ends: datetime | None = None
    rows: int = 0
    readings: int = 0
    metrics: dict[str, None] = field(default_factory=dict)
    targets: dict[str, None] = field(default_factory=dict)
    series: set[tuple[str, str]] = field(default_factory=set)
    gaps: Counter[timedelta] = field(default_factory=Counter)

    @property
    def usual(self) -> timedelta:
        """The most frequent time between two readings; 15 s if there is none."""
        most = self.gaps.most_common(1)
        return most[0][0] if most else timedelta(seconds=15)


class Series:
    """One file. `rows` gives what can be read and keeps what is wrong: only its end knows all of it."""

    def __init__(
        self, path: Path, begins: datetime, zone: ZoneInfo, units: Mapping[str, Unit | None], target: str
    ) -> None:
        """`units` are the metrics that are known, each with its unit (None: nobody knows), `target` what rows
        without a target are about, `begins` what relative moments count from."""
        self._path = path
        self._zone = zone
        self._units = units
        self._target = target
        self._begins = begins
        self.moments = Moments(begins, zone)
        self.faults: list[Fault] = []
        self.fault_count = 0
        self.span = Span()

    def rows(self) -> Iterator[Row]:
        """The rows that can be read, in order."""
        self.moments = Moments(self._begins, self._zone)
        self.faults, self.fault_count, self.span = [], 0, Span()
        try:
            if self._is_binary():
                raise self._stop(0, "binary")
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                yield from self._read(file)
        except UnicodeDecodeError:
            # The decoder runs ahead of the lines: which one it was is not known.
            self._stop(0, "not_utf8")
        except csv.Error as error:
            self._stop(0, "not_csv", detail=str(error))
        except OSError as error:
            self._stop(0, "unreadable", detail=error.strerror or str(error))
        except LineRefused as refused:
            code, limit = ("line_too_long", _LINE) if refused.too_long else ("too_many_lines", LINES)
            self._stop(refused.number, code, limit=limit)
        except _Stop:
            pass

    def _is_binary(self) -> bool:
        if not self._path.is_file():
            raise self._stop(0, "not_a_file" if self._path.exists() else "missing")
        with self._path.open("rb") as file:
            return b"\0" in file.read(_LOOK)

    def _read(self, file: TextIO) -> Iterator[Row]:
        lines = Lines(file, LINES + 1, _LINE)
        head = next(lines, "").strip()
        if not head:
            raise self._stop(0, "empty")
        separator = max(",;\t", key=head.count)
        names = [name.strip() for name in next(csv.reader([head], delimiter=separator))]
        columns = self._columns(names)
        last: dict[tuple[str, str], datetime] = {}
        reader = csv.reader(lines, delimiter=separator)
        for cells in reader:
            line = lines.number
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(names):
                self._fault(line, "too_many_columns", found=len(cells), expected=len(names))
                continue
            row = self._row(line, columns, cells, last, decimal_comma=separator == ";")
            if row is not None:
                self._count(row)
                yield row
        if self.span.rows == 0 and not self.fault_count:
            raise self._stop(0, "no_rows")

    def _columns(self, names: list[str]) -> _Columns:
        folded = [name.casefold() for name in names]
        at = next((folded.index(name) for name in _AT if name in folded), None)
        if at is None:
            raise self._stop(1, "no_at", found=", ".join(names)[:200])
        if len(names) > _COLUMNS:
            raise self._stop(1, "too_many_columns", found=len(names), expected=_COLUMNS)
        places = {name: folded.index(name) for name in (*_LONG, *_CLICKS) if name in folded}
        if "metric" in places and "value" in places:
            return _Columns(at, places, {})
        series: dict[int, tuple[str, str]] = {}
        for number, name in enumerate(names):
            if number == at or folded[number] in _CLICKS:
                continue
            metric, _, target = (part.strip() for part in name.partition("@"))
            if self._is_known(1, metric):
                if (metric, target or self._target) in series.values():
                    self._fault(1, "column_twice", text=name)
                series[number] = metric, target or self._target
        if not series and not self.fault_count:
            raise self._stop(1, "no_series")
        clicks = {name: place for name, place in places.items() if name in _CLICKS}
        return _Columns(at, clicks, series)

    def _row(
        self,
        line: int,
        columns: _Columns,
        cells: list[str],
        last: dict[tuple[str, str], datetime],
        *,
        decimal_comma: bool,
    ) -> Row | None:
        def cell(name: str) -> str:
            place = columns.places.get(name)
            return cells[place].strip() if place is not None and place < len(cells) else ""

        try:
            at = self.moments.read(cells[columns.at] if columns.at < len(cells) else "")
        except NoMoment as error:
            self._fault(line, "bad_moment", text=str(error)[:80])
            return None
        if self.span.ends is not None and at < self.span.ends:
            self._fault(line, "backwards", text=cells[columns.at].strip()[:80])
            return None
        if self.span.begins is not None and at - self.span.begins > LONGEST:
            raise self._stop(line, "too_long", days=LONGEST.days)
        before = self.fault_count
        metric, target = cell("metric"), cell("target")
        action = self._action(line, cell("event"), at, cell("by"), metric, target)
        given: list[tuple[str, str, str]] = []
        if columns.series:
            for place, (name, of) in columns.series.items():
                given.append((name, of, cells[place].strip() if place < len(cells) else ""))
            if action is not None and not any(value for _, _, value in given):
                given = []  # a row for the click alone
        elif action is None or cell("value"):
            if self._is_known(line, metric):
                given.append((metric, target or self._target, cell("value")))
        samples = []
        for name, of, text in given:
            value = self._value(line, name, text, decimal_comma=decimal_comma)
            previous = last.get((name, of))
            if previous == at:
                self._fault(line, "twice", metric=name, target=of)
            elif previous is not None:
                self.span.gaps[at - previous] += 1
            last[name, of] = at
            samples.append(Sample(name, of, value))
        return Row(at, tuple(samples), action) if self.fault_count == before else None

    def _action(
        self, line: int, event: str, at: datetime, by: str, metric: str, target: str
    ) -> Action | None:
        if not event:
            return None
        if metric and not self._is_known(line, metric):
            return None
        try:
            return from_row(event, at, by, metric, target, self._zone)
        except ActionInvalid as invalid:
            self._add(Fault(line, invalid.code, invalid.values))
            return None

    def _value(self, line: int, metric: str, text: str, *, decimal_comma: bool) -> float | None:
        if not text:
            return None
        try:
            value = float(text.replace(",", ".", 1) if decimal_comma else text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in text:
            self._fault(line, "not_a_number", metric=metric, text=text[:40])
            return None
        highest = 100.0 if self._units.get(metric) is Unit.PERCENT else math.inf
        if not 0.0 <= value <= highest:
            self._fault(line, "impossible", metric=metric, text=text[:40])
            return None
        return value

    def _is_known(self, line: int, metric: str) -> bool:
        if metric in self._units:
            return True
        # A million misspelled lines are not worth a million searches.
        near = nearest(metric, self._units) if len(self.faults) < SHOWN else ""
        self._fault(line, "unknown_metric", metric=metric[:80], nearest=near)
        return False

    def _count(self, row: Row) -> None:
        span = self.span
        span.begins = row.at if span.begins is None else span.begins
        span.ends = row.at
        span.rows += 1
        span.readings += len(row.samples)
        for sample in row.samples:
            span.metrics[sample.metric] = None
            span.targets[sample.target] = None
            span.series.add((sample.metric, sample.target))

    def _stop(self, line: int, code: str, **values: object) -> _Stop:
        self._add(Fault(line, f"cli.simulate.{code}", values), always=True)
        return _Stop()

    def _fault(self, line: int, code: str, **values: object) -> None:
        self._add(Fault(line, f"cli.simulate.{code}", values))

    def _add(self, fault: Fault, *, always: bool = False) -> None:
        """Count a fault, and keep it if it is one of the first, or why nothing more was read."""
        self.fault_count += 1
        if always or len(self.faults) < SHOWN:
            self.faults.append(fault)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where what is. `series` has metric and target of each column in the wide form."""

    at: int
    places: Mapping[str, int]
    series: Mapping[int, tuple[str, str]]


def nearest(word: str, known: Collection[str]) -> str:
    """The known word that is most like it; empty if none is."""
    folded = word.strip().casefold().replace("-", "_").replace(" ", "_")
    return next(iter(get_close_matches(folded, known, n=1)), "")
