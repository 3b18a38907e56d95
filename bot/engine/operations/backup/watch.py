"""Backups that failed, are late, not verified or damaged, as alerts: reported to the desk as jobs are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.backup.repositories import Place
from bot.domain.backup.sources import SourceKind
from bot.domain.backup.status import SourceState, SourceStatus
from bot.domain.levels import Level
from bot.engine.operations.backup.desk import BackupDesk
from bot.engine.reports import Report, ReportDesk, ReportsNotTaken
from bot.store.errors import StoreError
from probes.base import Layer

log = structlog.get_logger(__name__)

METRIC = "backup"
_SAY_AGAIN = timedelta(minutes=15)
"""As for heartbeats: what still fails is said again."""
_LEVELS: Mapping[SourceState, Level] = {
    SourceState.DAMAGED: Level.CRITICAL,
    SourceState.FAILED: Level.ERROR,
    SourceState.LATE: Level.ERROR,
    SourceState.NONE: Level.ERROR,
    SourceState.UNVERIFIED: Level.ERROR,
}

_Told: TypeAlias = tuple[SourceState, str | None, tuple[Place, ...]]
Say = Callable[..., str]
"""`messages.render.Voice.phrase`"""


class BackupWatch:
    """Looks at every source now and then, and tells the desk of alerts what has become bad or good."""

    def __init__(
        self, backups: BackupDesk, desk: ReportDesk, environment: str, say: Say, since: datetime
    ) -> None:
        """`since`: from when on it watches. A source that has no backup yet is late from there."""
        self._backups = backups
        self._desk = desk
        self._environment = environment
        self._say = say
        self._since = since
        self._told: dict[str, _Told] = {}
        self._said_at: dict[str, datetime] = {}
        self._first = True
        self._lock = asyncio.Lock()

    @property
    def told(self) -> frozenset[str]:
        """The sources of which the desk has been told something bad that is not over."""
        return frozenset(self._told)

    async def look(self, now: datetime) -> None:
        """Report what is new. Never raises for a desk or a database that is away: the next look does it."""
        async with self._lock:
            try:
                statuses = await self._backups.statuses()
                news = [each for each in statuses if self._is_news(each, now)]
                if news:
                    await self._desk.report([self._report(each, now) for each in news])
            except (ReportsNotTaken, StoreError) as error:
                log.warning("backups_not_reported", detail=str(error))
                return
            for each in news:
                name = each.source.name
                self._said_at[name] = now
                if self._is_bad(each, now):
                    self._told[name] = _told(each)
                else:
                    self._told.pop(name, None)
            self._first = False

    def _is_bad(self, status: SourceStatus, now: datetime) -> bool:
        if status.state is SourceState.NONE:
            return now - self._since > status.source.max_age
        return status.state.is_bad

    def _is_news(self, status: SourceStatus, now: datetime) -> bool:
        name = status.source.name
        if not self._is_bad(status, now):
            # An alert may be open from before we were started.
            return self._first or name in self._told
        said_at = self._said_at.get(name)
        again = said_at is None or abs(now - said_at) >= _SAY_AGAIN
        return again or self._told.get(name) != _told(status)

    def _report(self, status: SourceStatus, now: datetime) -> Report:
        source = status.source
        bad = self._is_bad(status, now)
        state = status.state if bad else SourceState.GOOD
        facts = {}
        if status.newest is not None:
            facts["last_report"] = status.newest.taken_at.isoformat(timespec="seconds")
        if bad and status.failed is not None:
            facts["reason"] = self._say(f"backup.short.{status.failed}")
        places = [place.value for place in status.damaged_in]
        title = self._say(f"backup.alert.{state.value}", places=places)
        level = _LEVELS.get(status.state, Level.ERROR)
        event = Reported(bad, level, now, title, facts)
        layer = Layer.DATABASE if source.kind is SourceKind.DATABASE else Layer.INFRASTRUCTURE
        labels = {"backup": source.name, "kind": source.kind.value}
        subject = Subject(
            self._environment, f"{METRIC}:{source.name}", METRIC, source.name, Condition.REPORTED
        )
        return Report(subject, labels, event, layer)


def _told(status: SourceStatus) -> _Told:
    """What is news when it becomes another."""
    return status.state, status.failed, status.damaged_in
