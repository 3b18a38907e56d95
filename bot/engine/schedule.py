"""When each probe is read: APScheduler drives slots, and a slot starts the checks of its probes.

Probes of one interval are spread over it, so that a thousand targets are a steady trickle. Several share a
slot, because a scheduler job costs more than a check needs.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.engine.board import source_of
from bot.engine.clock import Clock, StepsBack
from bot.engine.monitor import CONFIRM_AFTER, Monitor
from probes.base import Probe

log = structlog.get_logger(__name__)

SLOTS_PER_SECOND = 20
"""Of 1,000 targets every 10 s five share a slot then. Were it 25, each would wait for the others, and the
times that they measure would be some milliseconds too long."""
LOOK_AT_CLOCK_EVERY = timedelta(seconds=5)
STEP = timedelta(seconds=1)
"""a smaller step back of the clock is not worth a word"""
AT_ONCE = 50
"""checks under way together in the first round, when all probes are read at once"""


class Schedule:
    """Reads every probe once at the start, and then each at its interval."""

    def __init__(
        self,
        monitor: Monitor,
        probes: Sequence[Probe],
        clock: Clock,
        retry_after: timedelta = CONFIRM_AFTER,
        look_at_clock_every: timedelta = LOOK_AT_CLOCK_EVERY,
    ) -> None:
        self._monitor = monitor
        self._probes = probes
        self._clock = clock
        self._retry_after = retry_after
        self._look_at_clock_every = look_at_clock_every.total_seconds()
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._retrying: set[str] = set()
        self._gate = asyncio.Semaphore(AT_ONCE)

    def start(self) -> None:
        """Begin the watch; the first round starts now."""
        for probe in self._probes:
            self._spawn(self._first(probe))
        by_interval: dict[timedelta, list[Probe]] = defaultdict(list)
        for probe in self._probes:
            by_interval[probe.interval].append(probe)
        now = self._clock()
        for interval, probes in by_interval.items():
            slots = max(1, min(len(probes), int(interval.total_seconds() * SLOTS_PER_SECOND)))
            for number in range(slots):
                self._scheduler.add_job(
                    self._start_checks,
                    "interval",
                    args=[probes[number::slots]],
                    seconds=interval.total_seconds(),
                    next_run_time=now + interval + interval * number / slots,
                )
        self._scheduler.start()
        self._spawn(self._follow_clock())

    async def stop(self) -> None:
        """Start no more checks and give up those under way."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    async def _follow_clock(self) -> None:
        """Move what is due along when the clock steps back, for ever.

        The scheduler goes by the wall clock: after a step back by an hour it would read nothing for an hour.
        """
        loop = asyncio.get_running_loop()
        steps = StepsBack(STEP)
        steps.since_last(self._clock(), loop.time())
        while True:
            await asyncio.sleep(self._look_at_clock_every)
            step = steps.since_last(self._clock(), loop.time())
            if step is not None:
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=job.next_run_time + step)

    async def _start_checks(self, probes: Sequence[Probe]) -> None:
        for probe in probes:
            self._spawn(self._check(probe))

    async def _first(self, probe: Probe) -> None:
        async with self._gate:
            await self._check(probe)

    async def _check(self, probe: Probe) -> None:
        try:
            counting = await self._monitor.check(probe)
        except Exception:  # the watch goes on: one check that could not be judged is tried at the next
            log.exception("check_failed", probe=source_of(probe))
            return
        if counting and probe.interval > self._retry_after:
            self._soon(probe)

    def _soon(self, probe: Probe) -> None:
        source = source_of(probe)
        if source not in self._retrying:
            self._retrying.add(source)
            due = self._clock() + self._retry_after
            self._scheduler.add_job(self._again, "date", args=[probe], run_date=due)

    async def _again(self, probe: Probe) -> None:
        self._retrying.discard(source_of(probe))
        self._spawn(self._check(probe))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
