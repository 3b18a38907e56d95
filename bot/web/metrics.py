"""The Guardian and its readings as metrics, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from bot.domain.levels import Level
from bot.engine.board import Board
from bot.engine.guardian import Guardian


class Metrics:
    """What `GET /metrics` tells, read from the living parts at the moment of asking."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, guardian: Guardian, board: Board, slack_connected: Callable[[], bool]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Readings(guardian, board, slack_connected))
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """All readings, the Guardian's own state, and its process."""
        return generate_latest(self._registry)


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
