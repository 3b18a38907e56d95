"""What is found out beside the decisions comes onto the cards: context, forecast, picture, raised levels.

A card goes out at once; what takes time follows by an edit. Nothing here is needed for an alert to be told.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog
from pydantic import JsonValue

from bot.domain.alerts.failed_runs import Topic, topic_of
from bot.domain.alerts.model import Alert, Status
from bot.engine.charts import Charts
from bot.engine.clock import Clock
from bot.engine.desk import AlertDesk
from bot.engine.insight import Insight
from bot.store.errors import StoreError
from messages.insight_facts import ForecastFacts

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
_A_ROUND = 20
"""Alerts that are looked at in one round, those with the oldest look first: in a storm the others wait."""
_AGAIN = timedelta(seconds=30)
_AFTER_THE_END = timedelta(minutes=2)
"""How long after its end a card may still get its last picture."""


class Enrichment:
    """Goes round the open alerts, for ever."""

    def __init__(self, desk: AlertDesk, insight: Insight, clock: Clock, charts: Charts | None = None) -> None:
        self._desk = desk
        self._insight = insight
        self._clock = clock
        self._charts = charts
        self._looked: dict[Topic, datetime] = {}

    async def run(self) -> None:
        """Look, again and again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except StoreError as error:
                log.debug("cards_not_enriched", detail=str(error))
            except Exception:  # what is beside the alerts must never end them
                log.exception("cards_not_enriched")

    async def look(self) -> None:
        """Find out what is new about the alerts whose turn it is."""
        now = self._clock()
        alerts = list(self._desk.each_open())
        await self._raise(alerts)
        over = [alert for alert in self._desk.each_resolved() if _just_over(alert, now)]
        shown = [alert for alert in (*alerts, *over) if alert.carded and alert.storm is None]
        topics = {topic_of(alert) for alert in shown}
        self._looked = {topic: at for topic, at in self._looked.items() if topic in topics}
        due = [alert for alert in shown if self._is_due(alert, now)]
        due.sort(key=lambda alert: (*self._turn(alert, now), -alert.level))
        for alert in due[:_A_ROUND]:
            self._looked[topic_of(alert)] = now
            await self._enrich(alert, alerts)

    async def pictured(self, alert_id: int, _file_id: str) -> None:
        """A new picture of an alert may be shown."""
        alert = self._desk.alert(alert_id)
        if alert is not None:
            await self._enrich(alert, list(self._desk.each_open()))

    def _turn(self, alert: Alert, now: datetime) -> tuple[bool, datetime]:
        """What was never looked at comes first, then what was looked at longest ago."""
        looked = self._looked.get(topic_of(alert))
        return (False, now) if looked is None else (True, looked)

    def _is_due(self, alert: Alert, now: datetime) -> bool:
        looked = self._looked.get(topic_of(alert))
        return looked is None or not timedelta(0) <= now - looked < _AGAIN

    async def _raise(self, alerts: list[Alert]) -> None:
        wanted = await self._insight.raises(alerts)
        for alert in alerts:
            found = wanted.get(alert.id)
            level, why = (None, None) if found is None else (found.level, found.why)
            if (level, why) != (alert.floor, alert.floor_why):
                await self._desk.raise_to(alert.id, level, why)

    async def _enrich(self, alert: Alert, others: list[Alert]) -> None:
        insight = await self._insight.of(alert, others)
        extras: dict[str, JsonValue] = insight.as_extras()
        if self._charts is not None:
            forecast = insight.forecast
            self._charts.ask(alert, () if forecast is None else _line(alert, forecast))
            picture = await self._charts.known(alert.id)
            if picture is not None:
                extras["picture"] = picture
        # Who is called next may be another one by now: somebody stands in, a hand-over came.
        extras["next"] = [each.id for each in self._desk.facts(alert).next_page_to]
        await self._desk.enrich(alert.id, extras)


def _line(alert: Alert, forecast: ForecastFacts) -> tuple[tuple[datetime, float], ...]:
    """The forecast as a line in the picture, from the latest value on."""
    if alert.value is None:
        return ()
    return (alert.last_at, alert.value), (datetime.fromisoformat(forecast.reaches_at), forecast.bound)


def _just_over(alert: Alert, now: datetime) -> bool:
    ended = alert.resolved_at
    return alert.status is Status.RESOLVED and ended is not None and now - ended < _AFTER_THE_END
