"""The latest readings of every probe, for whoever asks how things are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.alerts.model import Rules
from messages.facts import ProbeFacts, ProblemFacts, ReadingFacts
from probes.base import Layer, Probe, Problem, Reading


def source_of(probe: Probe) -> str:
    """The identity of a probe: its alerts are about this, whatever finer targets its readings have."""
    return f"{probe.name}:{probe.target}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What the last check of a probe gave."""

    at: datetime
    took_ms: float
    readings: tuple[Reading, ...]

    @property
    def problem(self) -> Problem | None:
        """Why nothing at all could be measured; None when something was."""
        if any(reading.value is not None for reading in self.readings):
            return None
        return self.readings[0].problem if self.readings else None


class Board:
    """Knows all probes and the last check of each."""

    def __init__(self, probes: Iterable[Probe], rules: Rules) -> None:
        self._probes = {source_of(probe): probe for probe in probes}
        self._rules = rules
        self._checked: dict[str, Checked] = {}
        self._judged: dict[str, tuple[ReadingFacts, ...]] = {}
        self.complete = asyncio.Event()
        """set once every probe has been read"""

    def put(self, source: str, checked: Checked) -> None:
        """Remember the last check of a probe."""
        self._checked[source] = checked
        self._judged.pop(source, None)
        if len(self._checked) == len(self._probes):
            self.complete.set()

    @property
    def size(self) -> int:
        """How many probes there are."""
        return len(self._probes)

    @property
    def failing(self) -> int:
        """How many probes could measure nothing at their last check."""
        return sum(checked.problem is not None for checked in self._checked.values())

    def last_check(self) -> datetime | None:
        """When anything was checked last; None before the first."""
        return max((checked.at for checked in self._checked.values()), default=None)

    def probes(self) -> tuple[ProbeFacts, ...]:
        """Every probe with its last readings, in the order of the configuration."""
        return tuple(self._facts(source, probe) for source, probe in self._probes.items())

    def readings(self) -> tuple[ReadingFacts, ...]:
        """The last readings of all probes, in the order of the configuration."""
        return tuple(
            reading for source, probe in self._probes.items() for reading in self._readings(source, probe)
        )

    def values(self) -> Iterable[Reading]:
        """The last readings as they were taken."""
        return (reading for checked in self._checked.values() for reading in checked.readings)

    def _facts(self, source: str, probe: Probe) -> ProbeFacts:
        checked = self._checked.get(source)
        problem = checked.problem if checked else None
        return ProbeFacts(
            name=probe.name,
            layer=probe.layer.value,
            target=probe.target,
            interval_seconds=probe.interval.total_seconds(),
            timeout_seconds=probe.timeout.total_seconds(),
            last_at=checked.at.isoformat() if checked else None,
            took_ms=checked.took_ms if checked else None,
            problem=_problem_facts(problem),
            readings=self._readings(source, probe),
        )

    def _readings(self, source: str, probe: Probe) -> tuple[ReadingFacts, ...]:
        """The last readings of a probe, judged when somebody asks first."""
        judged = self._judged.get(source)
        if judged is None:
            checked = self._checked.get(source)
            if checked is None:
                return ()
            judged = tuple(self._judge(reading, probe.layer) for reading in checked.readings)
            self._judged[source] = judged
        return judged

    def _judge(self, reading: Reading, layer: Layer) -> ReadingFacts:
        bands = self._rules.rule_for(reading.metric, reading.target, layer).bands
        level = bands.level_of(reading.value) if bands and reading.value is not None else None
        band = None
        if bands is not None and reading.value is not None:
            band = bands.target.text if level is None else bands.levels[level].text
        return ReadingFacts(
            metric=reading.metric,
            target=reading.target,
            value=reading.value,
            unit=reading.unit.value,
            level=level.word if level else None,
            band=band,
            problem=_problem_facts(reading.problem),
            at=reading.at.isoformat(),
            facts=dict(reading.facts),
        )


def _problem_facts(problem: Problem | None) -> ProblemFacts | None:
    return None if problem is None else ProblemFacts(problem.kind.value, problem.detail)
