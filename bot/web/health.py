"""`GET /health` for whoever restarts the Guardian, `GET /metrics` for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from bot.domain.levels import Level
from bot.engine.board import Board
from bot.engine.clock import Clock
from bot.engine.guardian import Guardian

STALE_AFTER = timedelta(minutes=2)
"""A watch that has checked nothing for this long, and three of its intervals, is not one."""


class Health:
    """What the doors tell, read from the living parts at the moment of asking."""

    def __init__(
        self,
        guardian: Guardian,
        board: Board,
        clock: Clock,
        slack_connected: Callable[[], bool],
        shortest_interval: timedelta,
    ) -> None:
        self._guardian = guardian
        self._board = board
        self._clock = clock
        self._slack_connected = slack_connected
        self._patience = max(STALE_AFTER, 3 * shortest_interval)
        self._registry = CollectorRegistry()
        self._registry.register(_Readings(guardian, board, slack_connected))
        ProcessCollector(registry=self._registry)

    def application(self) -> web.Application:
        """The two routes."""
        app = web.Application()
        app.router.add_get("/health", self.health)
        app.router.add_get("/metrics", self.metrics)
        return app

    async def health(self, _request: web.Request) -> web.Response:
        """200 while the watch goes on, 503 when it has stopped. That Slack or the database is away is told
        but is no reason to be restarted: the watch goes on, and what it finds is kept."""
        status = self._guardian.status()
        watching = self._is_watching(self._board.last_check())
        troubled = (
            status.store_problem
            or status.dead_letters
            or self._guardian.delivery_fails
            or not self._slack_connected()
        )
        body = {
            "status": "stopped" if not watching else "degraded" if troubled else "ok",
            "state": status.state,
            "version": status.version,
            "slack_connected": self._slack_connected(),
            "store_problem": status.store_problem,
            "open_alerts": sum(status.alerts_open.values()),
            "probes": status.probes,
            "probes_failing": status.probes_failing,
            "undelivered": status.undelivered,
            "dead_letters": status.dead_letters,
            "delivery_problems": self._guardian.delivery_problems(),
        }
        return web.json_response(body, status=200 if watching else 503)

    async def metrics(self, _request: web.Request) -> web.Response:
        """All readings and the Guardian's own state, in Prometheus' text format."""
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    def _is_watching(self, last: datetime | None) -> bool:
        reference = last or self._guardian.identity.started_at
        return self._clock() - reference <= self._patience


class _Readings(Collector):
    """The Guardian's state as metrics, collected when somebody asks."""

    def __init__(self, guardian: Guardian, board: Board, slack_connected: Callable[[], bool]) -> None:
        self._guardian = guardian
        self._board = board
        self._slack_connected = slack_connected

    def collect(self) -> Iterator[GaugeMetricFamily | InfoMetricFamily]:
        """One family for the readings, one for each thing that the Guardian knows of itself."""
        value = GaugeMetricFamily(
            "guardian_reading", "The last value of each metric.", labels=["metric", "target", "unit"]
        )
        missing = GaugeMetricFamily(
            "guardian_reading_missing",
            "1 where the last check gave no value.",
            labels=["metric", "target", "problem"],
        )
        for reading in self._board.values():
            if reading.value is not None:
                value.add_metric([reading.metric, reading.target, reading.unit.value], reading.value)
            elif reading.problem is not None:
                missing.add_metric([reading.metric, reading.target, reading.problem.kind.value], 1)
        status = self._guardian.status()
        alerts = GaugeMetricFamily("guardian_alerts_open", "Open alerts by level.", labels=["level"])
        for level in Level:
            alerts.add_metric([level.word], status.alerts_open.get(level.word, 0))
        info = InfoMetricFamily("guardian", "Which Guardian this is.")
        info.add_metric([], {"version": status.version, "environment": status.environment})
        yield from (value, missing, alerts, info)
        yield _gauge("guardian_probes", "Probes that are read.", status.probes)
        yield _gauge(
            "guardian_probes_failing", "Probes whose last check measured nothing.", status.probes_failing
        )
        yield _gauge("guardian_letters_unsent", "Letters that Slack has not taken yet.", status.undelivered)
        yield _gauge("guardian_letters_dead", "Letters that were given up.", status.dead_letters)
        yield _gauge("guardian_slack_connected", "1 while connected to Slack.", int(self._slack_connected()))
        writable = int(status.store_problem is None)
        yield _gauge("guardian_store_writable", "1 while the database can be written.", writable)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
