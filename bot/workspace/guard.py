"""Who may speak to the server: programs and pages of this machine, not a web page from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@web.middleware
async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Refuse requests by another host's name (DNS rebinding) and changes from another site's page."""
    host = request.headers.get("Host", "")
    if not is_loopback(_name_of(host)):
        raise web.HTTPForbidden(text="This workspace answers on loopback addresses only.\n")
    changes = request.method not in _SAFE or request.headers.get("Upgrade", "").lower() == "websocket"
    if changes and _is_from_elsewhere(request, host):
        raise web.HTTPForbidden(text="Requests from pages of other sites are refused.\n")
    return await handler(request)


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_from_elsewhere(request: web.Request, host: str) -> bool:
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin.partition("://")[2] != host
    return request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
