"""Heartbeats in: jobs report here, and one that is late or fails becomes an alert.

What is known is in memory and in the database. While that can't be written it is kept and written later:
a full disk must not make every job look late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.durations import format_duration
from bot.domain.heartbeats import Beat, Heartbeat, Job, JobState, first, heard, reconfigured, state_of
from bot.domain.levels import Level
from bot.engine.reports import Report, ReportDesk, ReportsNotTaken
from bot.store.errors import StoreError, StoreUnavailable
from bot.store.heartbeats import HeartbeatStore
from messages.elsewhere_facts import HeartbeatFacts
from messages.escape import clean, truncate

log = structlog.get_logger(__name__)

METRIC = "heartbeat"
_SAY_AGAIN = timedelta(minutes=15)
"""What still fails is said again: a report that is old keeps nobody from calling the alert resolved."""
_SAID_LIMIT = 300


class Heartbeats:
    """Every job that must report."""

    def __init__(
        self, store: HeartbeatStore, desk: ReportDesk, jobs: Iterable[Job], environment: str
    ) -> None:
        self._store = store
        self._desk = desk
        self._jobs = {job.name: job for job in jobs}
        self._environment = environment
        self._known: dict[str, Heartbeat] = {}
        self._unsaved: set[str] = set()
        self._gone: dict[str, bool] = {}
        """jobs that are no longer configured, and whether an alert is open for them"""
        self._said_at: dict[str, datetime] = {}
        self._lock = asyncio.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all jobs."""
        return tuple(self._jobs)

    async def load(self, now: datetime) -> None:
        """Read what is known; what is configured anew is due from now on. Raises StoreUnavailable."""
        known = {each.name: each for each in await self._store.all()}
        for name, job in self._jobs.items():
            before = known.get(name)
            self._known[name] = first(job, now) if before is None else reconfigured(job, before)
            self._said_at[name] = now
            if self._known[name] != before:
                self._unsaved.add(name)
        self._gone = {name: each.told is not None for name, each in known.items() if name not in self._jobs}
        await self._save()

    async def beat(self, name: str, beat: Beat, now: datetime, said: str = "") -> Heartbeat | None:
        """A job says how it is; what is known of it now, None for a job that is not configured."""
        job = self._jobs.get(name)
        if job is None:
            return None
        known = heard(job, self._known[name], beat, now, truncate(clean(said).strip(), _SAID_LIMIT))
        self._known[name] = known
        self._unsaved.add(name)
        await self.look(now)
        return self._known[name]

    async def look(self, now: datetime) -> None:
        """Report jobs that have become late or failed, and those that are fine again; write what is new.

        Never raises for a desk or a database that is away: the next look does what this one could not.
        """
        async with self._lock:
            states = {name: state_of(known, now) for name, known in self._known.items()}
            news = [name for name, state in states.items() if self._is_news(name, state, now)]
            gone = [name for name, told in self._gone.items() if told]
            reports = [self._report(self._jobs[name], states[name], now) for name in news]
            reports += [self._over(name, Level.ERROR, {}, now) for name in gone]
            if reports:
                try:
                    await self._desk.report(reports)
                except (ReportsNotTaken, StoreError) as error:
                    log.warning("heartbeats_not_reported", jobs=news, detail=str(error))
                else:
                    self._gone |= dict.fromkeys(gone, False)
                    for name in news:
                        self._told(name, states[name], now)
            await self._save()

    def facts(self, now: datetime) -> tuple[HeartbeatFacts, ...]:
        """Every job as people see it: bad ones first, then by what is due next."""
        shown = sorted(
            self._known.values(),
            key=lambda known: (not state_of(known, now).is_bad, known.due_at, known.name),
        )
        return tuple(
            HeartbeatFacts(
                name=known.name,
                state=state_of(known, now).value,
                level=self._jobs[known.name].level.word,
                every_seconds=self._jobs[known.name].every.total_seconds(),
                grace_seconds=self._jobs[known.name].grace.total_seconds(),
                last_at=None if known.last_at is None else known.last_at.isoformat(),
                due_at=known.due_at.isoformat(),
                started_at=None if known.started_at is None else known.started_at.isoformat(),
            )
            for known in shown
        )

    def _is_news(self, name: str, state: JobState, now: datetime) -> bool:
        told = self._known[name].told
        if state.is_bad:
            return told is not state or abs(now - self._said_at[name]) >= _SAY_AGAIN
        return told is not None

    def _told(self, name: str, state: JobState, now: datetime) -> None:
        self._said_at[name] = now
        told = state if state.is_bad else None
        if self._known[name].told is not told:
            self._known[name] = replace(self._known[name], told=told)
            self._unsaved.add(name)

    def _report(self, job: Job, state: JobState, now: datetime) -> Report:
        known = self._known[job.name]
        facts = {"every": format_duration(job.every), "due": _written(known.due_at)}
        if known.last_at is not None:
            facts["last_report"] = _written(known.last_at)
        if known.started_at is not None:
            facts["started"] = _written(known.started_at)
        if not state.is_bad:
            return self._over(job.name, job.level, job.labels, now, facts)
        if state is JobState.FAILED and known.last_at is not None:
            facts["failed"] = _written(known.last_at)
            if known.said:
                facts["said"] = known.said
        event = Reported(True, job.level, now, job.name, facts)
        return Report(self._subject(job.name), job.labels, event)

    def _over(
        self,
        name: str,
        level: Level,
        labels: Mapping[str, str],
        now: datetime,
        facts: Mapping[str, str] = MappingProxyType({}),
    ) -> Report:
        return Report(self._subject(name), labels, Reported(False, level, now, name, dict(facts)))

    def _subject(self, name: str) -> Subject:
        return Subject(self._environment, f"{METRIC}:{name}", METRIC, name, Condition.HEARTBEAT)

    async def _save(self) -> None:
        written = {name: self._known[name] for name in sorted(self._unsaved)}
        gone = [name for name, told in self._gone.items() if not told]
        if not written and not gone:
            return
        try:
            await self._store.save(written.values(), gone)
        except StoreUnavailable as error:
            log.warning("heartbeats_not_written", jobs=list(written), detail=error.detail)
            return
        # What came in while it was written has still to be.
        self._unsaved -= {name for name, known in written.items() if self._known[name] is known}
        for name in gone:
            del self._gone[name]


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
