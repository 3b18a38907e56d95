"""Whether the Guardian itself does its work: pages in time, critical letters delivered, the loop not behind.

Each trouble is told once when it is found and once when it is over; while there is one, the outside watchdog
gets no signal (alerts.md, Escalation ladder and Delivery).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)

_LAG_WINDOW = 60.0
"""seconds for which a delay of the loop counts"""


class Trouble(StrEnum):
    """What may be wrong with the Guardian itself."""

    LADDER_LATE = "ladder_late"
    """a step of a ladder is overdue"""
    LETTERS_STUCK = "letters_stuck"
    """a critical letter has gone out neither by Slack nor by the second way"""
    LOOP_LAG = "loop_lag"
    """work takes its turn too late"""


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on it is trouble."""

    ladder: timedelta = timedelta(seconds=60)
    letters: timedelta = timedelta(minutes=5)
    lag: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Found:
    """One trouble, and how late things are."""

    trouble: Trouble
    late: timedelta


@dataclass(frozen=True, slots=True)
class Measures:
    """What the self-check looks at.

    next_step_at: the earliest deadline of a ladder that has not been acted upon, None without any.
    oldest_unsent: since when the oldest critical or emergency letter waits that went out by no way.
    lag: the worst delay of the loop in the last minute.
    """

    next_step_at: datetime | None = None
    oldest_unsent: datetime | None = None
    lag: timedelta = timedelta(0)


def troubles(measures: Measures, limits: Limits, now: datetime) -> tuple[Found, ...]:
    """Everything that is wrong now."""
    late = (
        (Trouble.LADDER_LATE, _since(measures.next_step_at, now), limits.ladder),
        (Trouble.LETTERS_STUCK, _since(measures.oldest_unsent, now), limits.letters),
        (Trouble.LOOP_LAG, measures.lag, limits.lag),
    )
    return tuple(Found(trouble, by) for trouble, by, limit in late if by > limit)


def _since(moment: datetime | None, now: datetime) -> timedelta:
    return timedelta(0) if moment is None else now - moment


Told = Callable[[str, float, datetime], None]
"""(trouble, seconds late, since when)"""


@dataclass(slots=True)
class _Open:
    since: datetime
    worst: timedelta


class SelfCheck:
    """Looks again and again, and says what begins and what is over."""

    def __init__(
        self, measure: Callable[[], Measures], on_found: Told, on_over: Told, limits: Limits | None = None
    ) -> None:
        self._measure = measure
        self._on_found = on_found
        self._on_over = on_over
        self._limits = limits or Limits()
        self._open: dict[Trouble, _Open] = {}

    def look(self, now: datetime) -> tuple[Found, ...]:
        """Everything that is wrong now; told where it is new, and what is over where it is."""
        found = troubles(self._measure(), self._limits, now)
        for each in found:
            known = self._open.get(each.trouble)
            if known is None:
                log.error("self_check", trouble=each.trouble.value, seconds=each.late.total_seconds())
                self._open[each.trouble] = _Open(now, each.late)
                self._on_found(each.trouble.value, each.late.total_seconds(), now)
            else:
                known.worst = max(known.worst, each.late)
        for trouble in self._open.keys() - {each.trouble for each in found}:
            over = self._open.pop(trouble)
            log.info("self_check_over", trouble=trouble.value)
            self._on_over(trouble.value, over.worst.total_seconds(), over.since)
        return found

    def problem(self, now: datetime) -> str | None:
        """The first trouble there is, for the outside watchdog; None while all is well."""
        return next((each.trouble.value for each in self.look(now)), None)


class LoopLag:
    """Measures how late the loop gives a task its turn."""

    def __init__(self, every: float = 0.5) -> None:
        """`every`: seconds between two measurements."""
        self._every = every
        self._seen: deque[tuple[float, float]] = deque()
        """(when, how late), in the loop's seconds"""

    def worst(self) -> timedelta:
        """The worst delay of the last minute."""
        now = asyncio.get_running_loop().time()
        while self._seen and self._seen[0][0] < now - _LAG_WINDOW:
            self._seen.popleft()
        return timedelta(seconds=max((late for _, late in self._seen), default=0.0))

    async def run(self) -> None:
        """Measure for ever."""
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await asyncio.sleep(self._every)
            self._seen.append((loop.time(), max(0.0, loop.time() - begun - self._every)))
            while self._seen[0][0] < loop.time() - _LAG_WINDOW:
                self._seen.popleft()


Check = Callable[[datetime], str | None]


def first_problem(checks: Sequence[Check], now: datetime) -> str | None:
    """The first problem that a check finds; all of them look."""
    return next((problem for problem in [check(now) for check in checks] if problem is not None), None)
