"""The watch: takes readings, and hands them to the alert desk.

Whatever a probe does (throws, hangs, returns nonsense), it costs that probe a reading and nobody else
anything.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from bot.domain.alerts.model import Condition, Decision, Measured, Missed, Rules, Status, Subject
from bot.engine.board import Board, Checked, source_of
from bot.engine.clock import Clock
from bot.engine.desk import AlertDesk, Observation
from bot.engine.history import History
from bot.engine.taking import LONGEST_DETAIL, nonsense, without
from bot.engine.threads import in_daemon_thread
from probes.base import AsyncProbe, BlockingProbe, Probe, Problem, ProblemKind, Reading

log = structlog.get_logger(__name__)

CONFIRM_AFTER = timedelta(seconds=15)
"""A check that alerts count on comes back after this, when the interval is longer (design, State).

Two that are less than half of it apart count once: a restart looks at once, and must not make a peak of its
own into an alert.
"""
_IN_A_ROW = timedelta(minutes=5)
"""Checks further apart, and more than three intervals, are not in a row: the Guardian was away in between."""


class Monitor:
    """Checks probes. One check of a probe is under way at a time; a hanging one is a missed check."""

    def __init__(
        self,
        desk: AlertDesk,
        board: Board,
        history: History,
        clock: Clock,
        environment: str,
        rules: Rules,
        confirm_after: timedelta = CONFIRM_AFTER,
    ) -> None:
        self._desk = desk
        self._board = board
        self._history = history
        self._clock = clock
        self._environment = environment
        self._rules = rules
        self._confirm_after = confirm_after
        self._subjects: dict[tuple[str, str, str, Condition], Subject] = {}
        self._under_way: dict[str, asyncio.Future[list[Reading]]] = {}
        self._checking: set[str] = set()
        self._failing: set[str] = set()
        self._absent: dict[str, Counter[str]] = {}

    async def check(self, probe: Probe) -> bool:
        """Read a probe and judge what it says.

        Whether an alert of this probe counts checks, so that the next one should come soon.
        """
        source = source_of(probe)
        if source in self._checking:
            return False  # its time-out is longer than its interval: the last check is still being waited for
        self._checking.add(source)
        at, began = self._clock(), time.perf_counter()
        try:
            readings, failed = await self._read(probe, source, at)
        finally:
            self._checking.discard(source)
        took_ms = (time.perf_counter() - began) * 1000
        self._board.put(source, Checked(at, took_ms, tuple(readings)))
        self._history.add(source, readings)
        self._note_failure(source, readings, failed)
        decisions = await self._desk.judge(self._observe(probe, source, readings, failed))
        if not failed:
            await self._release_absent(probe, source, readings)
        return any(_counts(decision) for decision in decisions)

    async def _read(self, probe: Probe, source: str, at: datetime) -> tuple[list[Reading], bool]:
        """The readings, and whether the probe failed as a whole."""
        hanging = self._under_way.pop(source, None)
        if hanging is not None and not hanging.done():
            self._under_way[source] = hanging
            return without(probe, at, Problem(ProblemKind.TIMEOUT, "the last check still hangs")), True
        try:
            async with asyncio.timeout(probe.timeout.total_seconds()) as limit:
                if isinstance(probe, BlockingProbe):
                    blocking = probe
                    future = in_daemon_thread(lambda: blocking.read_blocking(at), f"probe-{probe.name}")
                    self._under_way[source] = future
                    readings = await asyncio.shield(future)
                elif isinstance(probe, AsyncProbe):
                    readings = await probe.read(at)
                else:
                    raise TypeError(f"{type(probe).__name__} has no read")
        except TimeoutError as error:
            own = str(error) or "the probe gave up"
            detail = f"{probe.timeout.total_seconds():g} s" if limit.expired() else own[:LONGEST_DETAIL]
            return without(probe, at, Problem(ProblemKind.TIMEOUT, detail)), True
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody cancelled us: something that the probe waited for was.
            return without(probe, at, Problem(ProblemKind.FAILED, "cancelled itself")), True
        except Exception as error:  # a probe may raise anything; that is its problem and becomes its reading
            detail = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            if source not in self._failing:
                log.exception("probe_failed", probe=source)
            return without(probe, at, Problem(ProblemKind.FAILED, detail[:LONGEST_DETAIL])), True
        wrong = nonsense(probe, readings)
        if wrong is not None:
            return without(probe, at, Problem(ProblemKind.NONSENSE, wrong)), True
        return readings, False

    def _observe(
        self, probe: Probe, source: str, readings: Sequence[Reading], failed: bool
    ) -> list[Observation]:
        """What the readings mean for the alerts: each value for its threshold, and for each target whether
        there was any data at all. A target that is measured in part is not blind, so it raises one alert
        for what is wrong and not a second one for what could not be measured because of it."""
        observations: list[Observation] = []
        blind: dict[str, Problem | None] = {}
        in_a_row = max(_IN_A_ROW, 3 * probe.interval)
        apart = min(probe.interval, self._confirm_after) / 2
        at = self._clock()
        for reading in readings:
            at = reading.at
            if reading.value is None:
                blind.setdefault(reading.target, reading.problem)
                continue
            blind[reading.target] = None
            rule = self._rules.rule_for(reading.metric, reading.target, probe.layer)
            if rule.bands is not None:
                subject = self._subject(source, reading.metric, reading.target, Condition.THRESHOLD)
                measured = Measured(reading.value, reading.at, reading.facts, in_a_row, apart)
                observations.append(Observation(rule, subject, measured))
        for reading in readings:
            if reading.value is not None:
                blind[reading.target] = None
        if not failed:
            # The probe itself works, whatever is wrong with some of its targets.
            blind.setdefault(probe.target, None)
        metric = next(iter(probe.metrics))
        for target, problem in blind.items():
            rule = self._rules.rule_for(metric, target, probe.layer)
            subject = self._subject(source, metric, target, Condition.NO_DATA)
            event: Measured | Missed = Measured(0.0, at, in_a_row=in_a_row, apart=apart)
            if problem is not None:
                event = Missed(problem, at, in_a_row, apart)
            observations.append(Observation(rule, subject, event))
        return observations

    async def _release_absent(self, probe: Probe, source: str, readings: Sequence[Reading]) -> None:
        """End the alerts of finer targets that the probe has not named for as many checks as it takes to
        call a target blind: a tunnel that was closed, a stick that was pulled out."""
        absent = self._desk.targets(source) - {probe.target} - {reading.target for reading in readings}
        if not absent:
            self._absent.pop(source, None)
            return
        before = self._absent.get(source, Counter())
        counts = Counter({target: before[target] + 1 for target in absent})
        self._absent[source] = counts
        metric = next(iter(probe.metrics))
        gone = {
            target
            for target, checks in counts.items()
            if checks >= self._rules.rule_for(metric, target, probe.layer).missed
        }
        if gone:
            log.info("targets_gone", probe=source, targets=sorted(gone))
            await self._desk.release_targets(source, gone)

    def _subject(self, source: str, metric: str, target: str, condition: Condition) -> Subject:
        known = (source, metric, target, condition)
        subject = self._subjects.get(known)
        if subject is None:
            subject = Subject(self._environment, source, metric, target, condition)
            self._subjects[known] = subject
        return subject

    def _note_failure(self, source: str, readings: Sequence[Reading], failed: bool) -> None:
        """Log when a probe begins or ceases to fail, not at every check."""
        if failed and source not in self._failing:
            self._failing.add(source)
            problem = readings[0].problem if readings else None
            detail = f"{problem.kind.value}: {problem.detail}" if problem else ""
            log.warning("probe_cannot_measure", probe=source, problem=detail)
        elif not failed and source in self._failing:
            self._failing.discard(source)
            log.info("probe_measures_again", probe=source)


def _counts(decision: Decision) -> bool:
    alert = decision.alert
    if alert is None:
        return False
    return (
        alert.status is Status.PENDING
        or bool(alert.below)
        or (not alert.status.is_open and bool(alert.recent))
    )
