"""What an haproxy.cfg must have, word for word. The trial, the tests and docs/haproxy.md use it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from bot.domain.deploy.slots import Slot
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.tools.traffic.haproxy.log_stream import LOG_FORMAT_SD, LONGEST

_COOKIE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,49}", re.ASCII)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,49}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Split:
    """How a frontend shares its requests."""

    cookie: str
    """its name; it holds a number from 0 to 99, which is the visitor's place and not a colour"""
    header: str
    """its name; `a` or `b` as its value leads to that slot whatever the share"""
    trusted: Sequence[str] = ("127.0.0.1", "::1")
    """addresses and networks whose header counts"""
    secure: bool = False
    """whether the cookie goes over HTTPS only"""
    sample: int = 1
    """one request in so many is written to the log that we read"""

    def __post_init__(self) -> None:
        """Raises ValueError for what HAProxy could take for something else."""
        if _COOKIE.fullmatch(self.cookie) is None or _HEADER.fullmatch(self.header) is None:
            raise ValueError("a cookie is named by letters, digits and _, a header by letters, digits and -")
        if not self.trusted or self.sample < 1:
            raise ValueError("somebody must be trusted, and some requests be written down")
        for network in self.trusted:
            ip_network(network)


def frontend_snippet(configuration: HaproxyConfiguration, split: Split) -> str:
    """The lines for the frontend. A visitor with a place below the share goes to slot b, so a share that
    grows takes nobody back, and one of 0 or 100 takes all."""
    a, b = configuration.backends[Slot.A], configuration.backends[Slot.B]
    name = f"txn.{split.cookie}"
    said, place, new, share = (f"{name}{end}" for end in ("_said", "", "_new", "_share"))
    attributes = "; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax" + ("; Secure" if split.secure else "")
    return "\n".join(
        [
            *_log(configuration, split),
            f"    acl from_trusted src {' '.join(split.trusted)}",
            f"    http-request del-header {split.header} unless from_trusted",
            f"    http-request set-var({share}) str({configuration.key}),map_str_int({configuration.map},0)",
            # The cookie goes into a variable before it is looked at: a condition on the cookie itself holds
            # when any cookie of that name fits, and a visitor can send several.
            f"    http-request set-var({said}) req.cook({split.cookie})",
            f"    http-request set-var({place}) var({said}),add(0)"
            f" if {{ var({said}) -m reg ^[0-9]{{1,2}}$ }}",
            f"    http-request set-var({new}) int(1) unless {{ var({place}) -m found }}",
            f"    http-request set-var({place}) rand(100) if {{ var({new}) -m found }}",
            f'    http-after-response add-header Set-Cookie "{split.cookie}=%[var({place})]{attributes}"'
            f" if {{ var({new}) -m found }}",
            f"    use_backend {a} if {{ req.hdr({split.header}) -m str a }}",
            f"    use_backend {b} if {{ req.hdr({split.header}) -m str b }}",
            f"    use_backend {b} if {{ var({place}),sub({share}) -m int lt 0 }}",
            f"    default_backend {a}",
            "",
        ]
    )


def _log(configuration: HaproxyConfiguration, split: Split) -> list[str]:
    if configuration.log is None:
        return []
    thinned = f" sample 1:{split.sample}" if split.sample > 1 else ""
    return [
        f"    log {configuration.log} len {LONGEST} format rfc5424{thinned} local0",
        f'    log-format-sd "{LOG_FORMAT_SD}"',
    ]


def backends_snippet(configuration: HaproxyConfiguration, addresses: dict[Slot, str]) -> str:
    """The two backends, each with one server at its slot's address. Without `check`: the Guardian looks after
    the health of a release itself, and a server that HAProxy has to see well several times first would answer
    503 while traffic is already meant for it."""
    return "\n".join(
        f"backend {configuration.backends[slot]}\n    server {configuration.server} {addresses[slot]}\n"
        for slot in Slot
    )
