"""The door for alerts from elsewhere: Alertmanager's webhook, other systems' JSON, jobs' heartbeats.

A payload is taken as a whole or refused as a whole, with the place and the reason. Whoever gets 503 should
send again: Alertmanager does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import SecretStr

from bot.engine.reports import Report, ReportDesk, ReportsNotTaken
from bot.store.errors import StoreError
from bot.web.alertmanager import read_notification
from bot.web.generic import Mapped
from bot.web.payloads import (
    Answer,
    PayloadProblem,
    PayloadRefused,
    answer,
    check_key,
    expect,
    read_payload,
)
from bot.web.severities import Severities
from messages.render import Voice

log = structlog.get_logger(__name__)

ALERTMANAGER = "alertmanager"
_AT_ONCE = 8
"""payloads in work at the same time, 5 MB each; the next one is asked to come again"""
_BUSY_SECONDS = 2
_LARGE = 512 * 1024
_LARGE_AT_ONCE = 2
"""of those in work: as Python's objects five megabytes of brackets are thirty times as much"""
_IN_A_THREAD = 32 * 1024
"""Bytes of a payload that is worth a thread, so that the loop goes on meanwhile."""


class Routes(Protocol):
    """A part of the door."""

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what it answers."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """One system that posts JSON, and the secret that it shows."""

    mapped: Mapped
    secret: SecretStr


@dataclass(frozen=True, slots=True)
class Sources:
    """Who may report: `secret` is Alertmanager's and the heartbeats'."""

    secret: SecretStr
    others: Mapping[str, Source] = field(default_factory=dict)
    severities: Severities = field(default_factory=Severities)


class _Places:
    """How many payloads may be in work at the same time."""

    def __init__(self, most: int) -> None:
        self._free = most

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place as long as the block runs. Raises ReportsNotTaken while there is none."""
        if not self._free:
            raise ReportsNotTaken("busy", _BUSY_SECONDS)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class Webhooks:
    """The handlers of `POST /webhook/…`."""

    def __init__(
        self,
        desk: ReportDesk,
        sources: Sources,
        environment: str,
        clock: Callable[[], datetime],
    ) -> None:
        """`environment`: ours, for alerts that name none."""
        self._desk = desk
        self._sources = sources
        self._environment = environment
        self._clock = clock
        self._in_work = _Places(_AT_ONCE)
        self._large_in_work = _Places(_LARGE_AT_ONCE)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what this answers."""
        router.add_post("/webhook/{name}", self.receive, expect_handler=expect)

    async def receive(self, request: web.Request) -> web.Response:
        """One payload."""
        name = request.match_info["name"]
        other = self._sources.others.get(name)
        check_key(request, self._sources.secret if other is None else other.secret)
        if name != ALERTMANAGER and other is None:
            known = ", ".join(sorted({ALERTMANAGER, *self._sources.others}))
            raise PayloadRefused(404, [PayloadProblem("", "unknown_source", {"known": known})])
        with self._in_work.one():
            body = await read_payload(request)
            with self._large_in_work.one() if len(body) > _LARGE else nullcontext():
                read = self._alertmanager if other is None else self._other(other.mapped)
                reports = await asyncio.to_thread(read, body) if len(body) > _IN_A_THREAD else read(body)
                return await self._report(name, reports)

    def _alertmanager(self, body: bytearray) -> list[Report]:
        read = read_notification(body, self._sources.severities, self._environment, self._clock())
        if read.left_out > 0:
            log.warning("alertmanager_left_alerts_out", count=read.left_out)
        return read.reports

    def _other(self, mapped: Mapped) -> Callable[[bytearray], list[Report]]:
        return lambda body: mapped.reports(body, self._sources.severities, self._environment, self._clock())

    async def _report(self, name: str, reports: Sequence[Report]) -> web.Response:
        outcome = await self._desk.report(reports)
        counts: Answer = {
            "received": len(reports),
            "opened": outcome.opened,
            "resolved": outcome.resolved,
            "repeated": outcome.repeated,
            "changed": outcome.changed,
        }
        log.info("webhook", source=name, **counts)
        return answer(dict(counts))


def application(voice: Voice, *parts: Routes) -> web.Application:
    """A door with the routes of those parts, whose refusals are said in the voice's language."""
    # How large a body may be is known to whoever reads it: nobody here has aiohttp read the whole.
    door = web.Application(middlewares=[_refusals(voice)])
    for part in parts:
        part.add_routes(door.router)
    return door


def _refusals(voice: Voice) -> Middleware:
    @web.middleware
    async def say(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except PayloadRefused as refusal:
            log.warning(
                "webhook_refused", path=request.path[:200], status=refusal.status, detail=str(refusal)[:300]
            )
            return _refusal(voice, refusal)
        except (ReportsNotTaken, StoreError) as error:
            seconds = error.retry_after if isinstance(error, ReportsNotTaken) else _BUSY_SECONDS
            log.warning("webhook_not_taken", path=request.path[:200], detail=str(error)[:300])
            body = {"error": voice.phrase("webhooks.busy", seconds=seconds)}
            return answer(body, status=503, headers={"Retry-After": str(seconds)})

    return say


def _refusal(voice: Voice, refusal: PayloadRefused) -> web.Response:
    told = [
        {"path": each.path, "reason": voice.phrase(f"webhooks.{each.code}", **each.values)}
        for each in refusal.problems
    ]
    first = told[0]
    sentence = f"{first['path']}: {first['reason']}" if first["path"] else first["reason"]
    headers = {"WWW-Authenticate": 'Bearer realm="guardian"'} if refusal.status == 401 else None
    return answer({"error": sentence, "problems": told}, status=refusal.status, headers=headers)
