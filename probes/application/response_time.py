"""How fast a web address answers, and whether it answers as it should."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from time import perf_counter
from typing import ClassVar

import aiohttp
from yarl import URL

from probes.application.failures import EXPECTED, problem_of
from probes.application.uptime import Uptime
from probes.base import Layer, Reading, Unit, measured

_BODY_LIMIT = 256 * 1024
"""Bytes of a body that are read: enough for a health page, and a download can't fill the memory."""
_REDIRECTS = 5
_PATIENCE = 0.95
"""The part of the time-out that the server gets: the rest is for telling so before the caller gives up."""
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class ResponseTime:
    """`response_time` in milliseconds, `reachable` (1 or 0), `uptime` in percent of 1,000 checks.

    The time runs from sending to the end of the body, or its first 256 kB, redirects (5 at most) included. A
    connection that the server keeps open is used again, so it holds no handshake then. No whole answer:
    `response_time` has a problem (timeout, refused, name_not_found, tls, connection; bad_status for endless
    redirects) and `reachable` is 0. An answer with a status outside `statuses`, or without `contains` in
    what was read of its body, has its time, and `reachable` is 0 with the fact `reason`.

    `uptime` counts `reachable` and comes only when there are 1,000 checks (see `Uptime`), which begin anew
    with the process. Header values and the address's user and query never get into a reading.
    """

    name: ClassVar[str] = "response_time"
    layer: ClassVar[Layer] = Layer.APPLICATION
    metrics: ClassVar[Mapping[str, Unit]] = {
        "response_time": Unit.MILLISECONDS,
        "reachable": Unit.COUNT,
        "uptime": Unit.PERCENT,
    }

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        url: str,
        target: str | None = None,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, str] | None = None,
        statuses: tuple[int, int] = (200, 399),
        contains: str | None = None,
        tls: ssl.SSLContext | None = None,
        uptime_window: int = 1000,
        interval: timedelta = timedelta(seconds=15),
        timeout: timedelta = timedelta(seconds=5),
    ) -> None:
        """`session` is one for all (`http_session`). `target` is what people call it; the address without
        user and query by default. `secret_headers` are sent to the address's own origin only (scheme, host
        and port), not to where it redirects; `headers` go along. `statuses` are the lowest and highest good
        ones. `tls` replaces the system's list of trusted authorities. ValueError for an address that is not
        http(s)."""
        self._url = URL(url)
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ValueError("an address to check starts with http:// or https:// and names a host")
        self.target = target or str(self._url.with_user(None).with_query(None).with_fragment(None))
        self.interval = interval
        self.timeout = timeout
        self._session = session
        self._method = method
        self._headers = headers
        # One for each hop of a request: the client itself takes only Authorization and Cookie back.
        self._middlewares = (_OnlyTo(self._url.origin(), secret_headers),) if secret_headers else ()
        self._lowest, self._highest = statuses
        self._contains = None if contains is None else contains.encode()
        self._tls: ssl.SSLContext | bool = True if tls is None else tls
        self._patience = aiohttp.ClientTimeout(total=_PATIENCE * timeout.total_seconds())
        self._uptime = Uptime(uptime_window)

    async def read(self, at: datetime) -> list[Reading]:
        """`response_time` and `reachable`, and `uptime` once it is known. Raises for nothing outside."""
        target = self.target
        started = perf_counter()
        try:
            reason = await self._ask()
            took = (perf_counter() - started) * 1000
        except EXPECTED as error:
            problem = problem_of(error, self.timeout.total_seconds())
            time = Reading("response_time", target, None, Unit.MILLISECONDS, at, problem)
            reason = problem.detail
        else:
            time = measured("response_time", target, took, Unit.MILLISECONDS, at)
        facts = None if reason is None else {"reason": reason}
        readings = [time, measured("reachable", target, float(reason is None), Unit.COUNT, at, facts)]
        self._uptime.add(reason is None)
        uptime = self._uptime.percent
        if uptime is not None:
            readings.append(measured("uptime", target, uptime, Unit.PERCENT, at))
        return readings

    async def _ask(self) -> str | None:
        """Why the answer is not the expected one; None when it is."""
        async with self._session.request(
            self._method,
            self._url,
            headers=self._headers,
            middlewares=self._middlewares,
            timeout=self._patience,
            max_redirects=_REDIRECTS,
            ssl=self._tls,
        ) as answer:
            wanted = self._contains
            kept = bytearray()
            size = 0
            async for chunk in answer.content.iter_any():
                size += len(chunk)
                if wanted is not None:
                    kept += chunk
                if size >= _BODY_LIMIT:
                    answer.close()  # the rest would come through the same connection: it is of no more use
                    break
            if not self._lowest <= answer.status <= self._highest:
                return f"status {answer.status}"
            if wanted is not None:
                return _missing(wanted, kept, answer.headers.get("Content-Encoding", "identity"))
            return None


class _OnlyTo:
    """Adds headers to requests to one origin."""

    def __init__(self, origin: URL, headers: Mapping[str, str]) -> None:
        self._origin = origin
        self._headers = dict(headers)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if request.url.origin() == self._origin:
            request.headers.update(self._headers)
        return await handler(request)


def _missing(wanted: bytes, body: bytearray, encoding: str) -> str | None:
    """Why `wanted` is not in the body; None when it is. Unpacks no more than the limit."""
    text: bytes = bytes(body[:_BODY_LIMIT])
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity"):
        bits = _WINDOW_BITS.get(encoding)
        if bits is None:
            return "the body is packed in an unknown way"
        try:
            text = zlib.decompressobj(bits).decompress(text, _BODY_LIMIT)
        except zlib.error:
            return "the body is not packed as it says"
    if wanted in text:
        return None
    return "the expected text is not in the body"
