"""The one HTTP client that all targets share."""

from __future__ import annotations

import resource

import aiohttp

_KEEP_ALIVE = 90.0
"""Seconds an idle connection is kept: longer than the intervals people choose, so that the next check needs
no handshake. A server that closes earlier is simply connected to again."""
_NAMES_KEPT = 60
"""Seconds a resolved name is used again: a service that moves is found within a minute."""
_LINE_LIMIT = 8190
"""Bytes of one header line; longer ones, and more than 128 of them, are refused by the client."""


def http_session(*, version: str) -> aiohttp.ClientSession:
    """A client for any number of targets, to be closed by the caller; call it inside the running loop.

    It stores no cookies, asks for no compression and unpacks none (a small answer could unpack to gigabytes),
    reads no proxy from the environment, and sends `User-Agent: Guardian/VERSION`. Time-outs are each check's.
    """
    connector = aiohttp.TCPConnector(
        limit=0,  # each target has one check in flight: a queue in front of them would count as their time
        ttl_dns_cache=_NAMES_KEPT,
        keepalive_timeout=_KEEP_ALIVE,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        headers={"User-Agent": f"Guardian/{version}", "Accept": "*/*", "Accept-Encoding": "identity"},
        max_line_size=_LINE_LIMIT,
        max_field_size=_LINE_LIMIT,
        timeout=aiohttp.ClientTimeout(total=30),
    )


def allow_open_files(wanted: int) -> int:
    """Raise this process's limit of open files towards `wanted`, as far as the hard limit lets it.

    Returns the limit now; it is never lowered. Each target keeps one connection open, and a limit of 1,024
    files is a common default.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if goal > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
    return max(goal, soft)
