"""What is known beside the decision about an alert: context, forecast, what changed, what raises it.

Nothing here is needed to decide or to tell: while the database cannot be read there is simply less to say.
What was found out about an alert is kept for some minutes, so that edits of its card cost nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from pydantic import JsonValue

from bot.domain.alerts.correlation import CHANGED_WITHIN, context_of, deployment_before, standing, touching
from bot.domain.alerts.failed_runs import Topic, deployment_of, is_about_deployments, topic_of
from bot.domain.alerts.forecast import HORIZON, Forecast, forecasts
from bot.domain.alerts.happenings import ChangeKind, Happening
from bot.domain.alerts.insights import change_facts, context_facts, forecast_facts
from bot.domain.alerts.model import Alert, Condition, Rules
from bot.domain.alerts.raising import FORECAST, Raise, raises
from bot.domain.alerts.scoring import Score, score
from bot.domain.alerts.together import SPAN, Pairs, fired_together
from bot.domain.alerts.whereabouts import BY_NAME, Whereabouts
from bot.domain.labels import NO_SERVICES, Services
from bot.domain.levels import Level
from bot.engine.clock import Clock
from bot.engine.history import History
from bot.store.also import Also
from bot.store.asynchronous import AsyncConnection
from bot.store.errors import StoreError
from bot.store.insight import InsightStore
from bot.store.series import SeriesStore
from messages.insight_facts import ForecastFacts, InsightFacts

log = structlog.get_logger(__name__)

FRESH = timedelta(minutes=3)
"""How long what was found out about an alert is good enough."""
PAIRS_EVERY = timedelta(hours=1)
SCORE_SECONDS = 60.0
KEEP = timedelta(days=90)
PRUNE_EVERY = timedelta(hours=6)
_FORECASTS_A_ROUND = 20
"""Forecasts that one look for raises makes anew at most: in a storm the others wait for the next."""
_FORGET = timedelta(hours=1)
_SETTINGS = "settings"
_BY_NAME = ("infrastructure_kpis", "application_kpis", "kpis", "rules", "probes")


@dataclass(frozen=True, slots=True)
class _Known:
    at: datetime
    facts: InsightFacts


class Insight:
    """Finds out what is behind alerts and where values are going."""

    def __init__(
        self,
        store: InsightStore,
        series: SeriesStore,
        history: History,
        rules: Rules,
        clock: Clock,
        services: Services = NO_SERVICES,
        where: Whereabouts = BY_NAME,
    ) -> None:
        self._store = store
        self._series = series
        self._history = history
        self._rules = rules
        self._clock = clock
        self._services = services
        self._where = where
        self._known: dict[Topic, _Known] = {}
        self._forecasts: dict[int, tuple[datetime, tuple[Forecast, ...]]] = {}
        self._pairs: tuple[datetime, Pairs] | None = None
        self._changes: tuple[datetime, list[Happening]] | None = None
        self._pruned_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def of(self, alert: Alert, others: Collection[Alert]) -> InsightFacts:
        """What is known about an alert among the open ones; not older than three minutes. Once it is over
        nothing more is found out. Never raises for a database that is away: then it is what was known before,
        or nothing."""
        known = self._known.get(topic_of(alert))
        if not alert.status.is_open:
            return InsightFacts() if known is None else replace(known.facts, forecast=None)
        if known is not None and self._is_fresh(known.at, FRESH):
            return known.facts
        async with self._lock:  # who asked meanwhile about the same alert finds the answer here
            known = self._known.get(topic_of(alert))
            now = self._clock()
            if known is not None and self._is_fresh(known.at, FRESH):
                return known.facts
            try:
                facts = await self._find_out(alert, others, now)
            except StoreError as error:
                log.debug("insight_not_found_out", alert=alert.id, detail=str(error))
                return known.facts if known is not None else InsightFacts()
            self._forget(now)
            self._known[topic_of(alert)] = _Known(now, facts)
            return facts

    async def raises(self, alerts: Collection[Alert]) -> Mapping[int, Raise]:
        """What raises which of the open alerts, by id: an alert that is missing is raised by nothing (any
        more). Forecasts are made for warnings only, at most twenty a call."""
        async with self._lock:
            left = _FORECASTS_A_ROUND
            for alert in alerts:
                if alert.level is not Level.WARNING and alert.floor_why != FORECAST:
                    continue
                made = self._forecasts.get(alert.id)
                if left == 0 or (made is not None and self._is_fresh(made[0], FRESH)):
                    continue
                left -= 1
                try:
                    await self._forecast(alert, self._clock())
                except StoreError as error:
                    log.debug("forecast_not_made", alert=alert.id, detail=str(error))
                    break
        now = self._clock()
        known = {alert.id: self._forecasts[alert.id][1] for alert in alerts if alert.id in self._forecasts}
        return raises(alerts, known, now, self._services)

    async def series(
        self, metric: str, target: str, since: datetime, at_most: int | None = None
    ) -> list[tuple[datetime, float | None]]:
        """The readings of one series since that moment, oldest first, with those that are not written yet.
        None is a check without a value. With `at_most` evenly chosen, a few more than that at most. Raises
        StoreUnavailable."""
        written = await self._series.series(metric, target, since, at_most)
        last = written[-1][0] if written else since
        return written + [each for each in self._history.waiting(metric, target) if each[0] > last]

    async def record_change(self, change: Happening) -> Happening:
        """Write down that something was changed on purpose; it comes back with its number. Raises
        StoreUnavailable."""
        written = await self._store.add_change(change)
        self._changes = None
        log.info("change", id=written.id, kind=written.kind.value, service=written.service, by=written.by)
        return written

    def recording_change(self, change: Happening) -> Also:
        """To write down a change in the transaction of what was changed."""
        adding = self._store.adding_change(change)

        async def also(connection: AsyncConnection) -> bool:
            self._changes = None
            return await adding(connection)

        return also

    async def settings_seen(
        self, settings: Mapping[str, JsonValue], target: str, environment: str
    ) -> Happening | None:
        """Record a change of the Guardian's own configuration since its last start; None if there is none, or
        no earlier start. `settings` must hold no secrets. Raises StoreUnavailable."""
        digests = {name: _digest(value) for name, value in _parts(settings)}
        before = await self._store.mark(_SETTINGS)
        text = json.dumps(digests, sort_keys=True)
        if before == text:
            return None
        await self._store.set_mark(_SETTINGS, text)
        if before is None:
            return None
        old: dict[str, str] = json.loads(before)
        sections: list[JsonValue] = [
            name for name in sorted(old.keys() | digests.keys()) if old.get(name) != digests.get(name)
        ]
        change = Happening(
            at=self._clock(),
            kind=ChangeKind.CONFIG,
            environment=environment,
            target=target,
            facts={"sections": sections},
        )
        return await self.record_change(change)

    async def run(self) -> None:
        """Score forecasts and delete what is old, for ever."""
        while True:
            await asyncio.sleep(SCORE_SECONDS)
            try:
                await self.score(self._clock())
            except StoreError as error:
                log.debug("forecasts_not_scored", detail=str(error))

    async def score(self, now: datetime) -> int:
        """Score the forecasts whose time has come against what happened; how many were. Raises
        StoreUnavailable."""
        scores: list[tuple[int, Score]] = []
        for foretold in await self._store.foretold(now):
            readings = await self.series(foretold.metric, foretold.target, foretold.made_at)
            found = score(foretold, [(at, value) for at, value in readings if value is not None], now)
            if found is not None:
                scores.append((foretold.id, found))
        await self._store.score_forecasts(scores, now)
        if self._pruned_at is None or not self._is_fresh(self._pruned_at, PRUNE_EVERY):
            await self._store.prune(now - KEEP)
            self._pruned_at = now
        return len(scores)

    async def _find_out(self, alert: Alert, others: Collection[Alert], now: datetime) -> InsightFacts:
        latest = await self._latest_changes(now, alert.detected_at)
        changes = standing(alert, latest)
        pairs = await self._together(now)
        context = context_of(alert, others, changes, self._services, pairs, self._where)
        touched = touching(alert, changes, self._services, self._where)
        if is_about_deployments(alert):
            deployment = deployment_of(alert, latest)
        else:
            deployment = deployment_before(alert, changes, context, self._where)
        return InsightFacts(
            context=context_facts(
                context, {each.id: each for each in others}, {each.id: each for each in changes}
            ),
            forecast=await self._forecast(alert, now),
            changes=tuple(change_facts(change) for change in touched),
            deployment=None if deployment is None else change_facts(deployment),
        )

    async def _forecast(self, alert: Alert, now: datetime) -> ForecastFacts | None:
        """The forecast for the next worse band; it is written down, to be scored."""
        made = self._forecasts.get(alert.id)
        if made is None or not self._is_fresh(made[0], FRESH):
            made = (now, await self._foresee(alert, now))
            self._forecasts[alert.id] = made
        if not made[1]:
            return None
        return forecast_facts(made[1][0], alert.subject.metric, alert.unit)

    async def _foresee(self, alert: Alert, now: datetime) -> tuple[Forecast, ...]:
        subject = alert.subject
        bands = self._rules.rule_for(subject.metric, subject.target, alert.layer).bands
        if subject.condition is not Condition.THRESHOLD or bands is None or not alert.status.is_open:
            return ()
        readings = await self.series(subject.metric, subject.target, now - HORIZON)
        measured: Sequence[tuple[datetime, float]] = [
            (at, value) for at, value in readings if value is not None
        ]
        level: Level | None = alert.level
        if alert.floor is not None and alert.value is not None:
            # Raised by a forecast: the level that the value itself is in is what the next one follows.
            level = bands.level_of(alert.value) or min(bands.levels)
        found = forecasts(measured, bands, now, level)
        for each in found:
            await self._store.add_forecast(subject, each, bands.rising)
        return found

    async def _latest_changes(self, now: datetime, since: datetime) -> list[Happening]:
        """The changes that may be behind what began at `since`; read anew at most every few seconds."""
        if self._changes is None or not self._is_fresh(self._changes[0], timedelta(seconds=15)):
            self._changes = (now, await self._changes_since(now - CHANGED_WITHIN - _FORGET))
        if since < now - _FORGET:
            return await self._changes_since(since - CHANGED_WITHIN)
        return self._changes[1]

    async def _changes_since(self, since: datetime) -> list[Happening]:
        """With the canaries that began before and may go on."""
        return [*await self._store.changes(since), *await self._store.canaries(since)]

    async def _together(self, now: datetime) -> Pairs:
        if self._pairs is None or not self._is_fresh(self._pairs[0], PAIRS_EVERY):
            firings = await self._store.firings(now - SPAN)
            # A month of a noisy place takes a while, and the watch must not wait for it.
            self._pairs = (now, await asyncio.to_thread(fired_together, firings))
        return self._pairs[1]

    def _is_fresh(self, at: datetime, long: timedelta) -> bool:
        return timedelta(0) <= self._clock() - at < long

    def _forget(self, now: datetime) -> None:
        """Forget the alerts that nobody has asked about for an hour."""
        self._known = {key: each for key, each in self._known.items() if now - each.at < _FORGET}
        self._forecasts = {key: each for key, each in self._forecasts.items() if now - each[0] < _FORGET}


def _parts(settings: Mapping[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    """The parts of the configuration by name: each band, rule and probe, of the rest whole sections."""
    for name, value in settings.items():
        if name in _BY_NAME and isinstance(value, dict):
            yield from ((f"{name}.{each}", part) for each, part in value.items())
        else:
            yield name, value


def _digest(value: JsonValue) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
