"""`GET /health` for whoever restarts the Guardian, `GET /metrics` for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from aiohttp import web

from bot.engine.board import Board
from bot.engine.clock import Clock
from bot.engine.guardian import Guardian

if TYPE_CHECKING:
    from bot.web.metrics import Metrics

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
        return web.Response(body=self._metrics.text(), headers={"Content-Type": self._metrics.content_type})

    @cached_property
    def _metrics(self) -> Metrics:
        from bot.web.metrics import Metrics  # 1 MB with Prometheus' library: for those who ask for metrics

        return Metrics(self._guardian, self._board, self._slack_connected)

    def _is_watching(self, last: datetime | None) -> bool:
        reference = last or self._guardian.identity.started_at
        return self._clock() - reference <= self._patience
