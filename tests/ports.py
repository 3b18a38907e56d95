"""Ports for servers that a test starts."""

from __future__ import annotations

import itertools
import random
import socket

_FIRST, _LAST = 10_000, 32_000
"""below those that Linux gives to connections (32768 on): one of those may be taken before it is used"""
# No two processes that test at the same time begin at the same one.
_ports = itertools.islice(
    itertools.cycle(range(_FIRST, _LAST)), random.SystemRandom().randrange(_LAST - _FIRST), None
)


def free_port() -> int:
    """A port of loopback that nobody listens on, and that nobody else is given soon."""
    while True:
        port = next(_ports)
        with socket.socket() as door:
            try:
                door.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
