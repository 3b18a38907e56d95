"""Where jobs report: `/heartbeat/NAME` when one went well, `…/fail` when not, `…/start` when it begins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from difflib import get_close_matches

from aiohttp import web
from pydantic import SecretStr

from bot.domain.heartbeats import Beat
from bot.engine.heartbeats import Heartbeats
from bot.web.payloads import PayloadProblem, PayloadRefused, answer, check_key

_READ = 1000
"""bytes of what a job says: the end of its log is for its log"""


class HeartbeatRoutes:
    """The handlers of `/heartbeat/…`, for GET, HEAD and POST alike: whatever a job can send."""

    def __init__(self, heartbeats: Heartbeats, secret: SecretStr, clock: Callable[[], datetime]) -> None:
        self._heartbeats = heartbeats
        self._secret = secret
        self._clock = clock

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what this answers."""
        for path in ("/heartbeat/{name}", "/heartbeat/{name}/{beat:fail|start}"):
            router.add_get(path, self.receive)
            router.add_post(path, self.receive)

    async def receive(self, request: web.Request) -> web.Response:
        """One report."""
        check_key(request, self._secret)
        name = request.match_info["name"]
        beat = Beat(request.match_info.get("beat", Beat.OK.value))
        said = await request.content.read(_READ) if request.body_exists else b""
        known = await self._heartbeats.beat(name, beat, self._clock(), said.decode(errors="replace"))
        if known is None:
            near = get_close_matches(name, self._heartbeats.names, n=1)
            values = {"nearest": near[0] if near else ""}
            raise PayloadRefused(404, [PayloadProblem("", "unknown_heartbeat", values)])
        return answer({"name": name, "heard": beat.value, "due_at": known.due_at.isoformat()})
