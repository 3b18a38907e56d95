"""How one service's traffic goes through HAProxy: where HAProxy is told, and what the parts of its
configuration are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from bot.domain.deploy.slots import Slot

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}", re.ASCII)
"""what HAProxy allows in the name of a proxy or a server, less what could begin an option"""
_PATH = re.compile(r"[A-Za-z0-9/._][A-Za-z0-9/._+@:-]{0,254}", re.ASCII)
_PORT = re.compile(r"(?P<host>[0-9a-fA-F.:]+|\[[0-9a-fA-F:.]+\]):(?P<port>[0-9]{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class HaproxyConfiguration:
    """Everything is checked when it is made (ValueError): these words go into HAProxy's commands."""

    socket: str
    """of HAProxy's runtime API, with `level admin`: a path, or a port of this machine (`127.0.0.1:9999`)"""
    map_file: str
    """an absolute path"""
    key: str
    """of the entry whose value is the share of slot b in percent"""
    backends: Mapping[Slot, str]
    server: str
    """the name of the one server in each backend"""
    log: str | None = None
    """where HAProxy sends its log to us: a path, or a port of this machine (UDP)"""
    timeout: float = 2.0
    """seconds for one call"""
    map_name: str = ""
    """the map's path as haproxy.cfg writes it, where that is another: HAProxy in a container"""

    def __post_init__(self) -> None:
        """Refuses what HAProxy could take for something else."""
        if set(self.backends) != set(Slot) or self.backends[Slot.A] == self.backends[Slot.B]:
            raise ValueError("two backends are needed, one for each slot")
        for name in (self.key, self.server, *self.backends.values()):
            checked_name(name)
        for path in (self.map_file, self.map_name or self.map_file):
            checked_path(path)
        if not self.map_file.startswith("/"):
            raise ValueError(f"not an absolute path: {self.map_file!r}")
        for address in (self.socket, *([self.log] if self.log is not None else [])):
            if local_port(address) is None:
                checked_path(address)
                if not address.startswith("/"):
                    raise ValueError(f"neither an absolute path nor a port of this machine: {address!r}")
        if not 0 < self.timeout <= 60:
            raise ValueError("the time-out must be from 0 to 60 seconds")

    @property
    def map(self) -> str:
        """What HAProxy calls the map."""
        return self.map_name or self.map_file


def checked_name(name: str) -> str:
    """`name` if it can be that of a backend, a server or a key, and nothing else. Raises ValueError."""
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"not a name for HAProxy: {name!r}")
    return name


def checked_path(path: str) -> str:
    """`path` if it is one that needs no quotes anywhere. Raises ValueError."""
    if _PATH.fullmatch(path) is None:
        raise ValueError(f"not a path for HAProxy: {path!r}")
    return path


def local_port(address: str) -> tuple[str, int] | None:
    """Host and port if the address is one of this machine's; None if it is no host and port at all. Raises
    ValueError for a host that others can reach, or a port that can't be: whoever reaches the runtime API may
    do everything, and whoever reaches the log may say everything."""
    found = _PORT.fullmatch(address)
    if found is None:
        return None
    host, port = found["host"].strip("[]"), int(found["port"])
    if not ip_address(host).is_loopback or not 0 < port < 65536:
        raise ValueError(f"not a port of this machine alone: {address!r}")
    return host, port
