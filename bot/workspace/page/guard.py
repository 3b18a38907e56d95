"""Keeps other web sites out of a page that needs no password because it listens on loopback only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def is_loopback_host(host: str) -> bool:
    """Whether a Host header names this machine; any other name may be a rebound one of a foreign site."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK_NAMES
    except ValueError:
        return False


def is_same_origin(request: web.Request) -> bool:
    """Whether the page itself sent the request, by what the browser says of its origin.

    A request that says nothing is refused: every browser sends at least one of the two with a POST.
    """
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        return False
    if site is not None and site != "same-origin":
        return False
    return origin is not None or site is not None


def guarded(handler: Handler) -> Handler:
    """The handler behind the checks, with the security headers on what it returns."""

    @wraps(handler)
    async def checked(request: web.Request) -> web.StreamResponse:
        if not is_loopback_host(request.host):
            raise web.HTTPForbidden(text="This page answers only to the address of this machine.")
        if request.method not in {"GET", "HEAD"} and not is_same_origin(request):
            raise web.HTTPForbidden(text="This came from another site.")
        response = await handler(request)
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    return checked
