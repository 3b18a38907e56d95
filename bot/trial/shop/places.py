"""Where the shop is on this machine: its folders, and ports that stay the same from one start to the next."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.domain.deploy.slots import Slot

SERVICE = "shop"
PRODUCTION, STAGING = "production", "staging"
SERVER = "app"
"""what the server in each of the load balancer's backends is called"""
_DEFAULTS = {PRODUCTION: (8730, 8731, 8732), STAGING: (8740, 8741, 8742)}
_FILE = "ports.json"
_PLAIN = re.compile(r"/[A-Za-z0-9/._+@:-]{1,70}")
"""what HAProxy takes without quotes, and short enough for a socket in it (107 bytes, unix(7))"""
_GOING = 1.0
"""seconds that the load balancer of the run before has to be gone"""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one environment, all on 127.0.0.1."""

    shop: int
    """where visitors go"""
    a: int
    b: int

    @property
    def url(self) -> str:
        """The shop, as a browser finds it."""
        return f"http://127.0.0.1:{self.shop}/"


@dataclass(frozen=True, slots=True)
class Places:
    """All of it."""

    folder: Path
    """below the Guardian's state directory"""
    balancer: Path
    """the load balancer's folder"""
    ports: Mapping[str, Ports]
    """by environment"""

    @property
    def releases(self) -> Path:
        """A folder with a folder for each release."""
        return self.folder / "releases"

    @property
    def repository(self) -> Path:
        """The Git repository, a bare one."""
        return self.folder / "code"

    @property
    def map_file(self) -> Path:
        """Says who is live, by environment."""
        return self.balancer / "shares.map"

    @property
    def socket(self) -> Path:
        """The load balancer's runtime socket."""
        return self.balancer / "admin.sock"

    def log_socket(self, environment: str) -> Path:
        """Where the load balancer sends an environment's log to."""
        return self.balancer / f"{environment}.log.sock"

    def as_json(self) -> str:
        """For `from_json`."""
        ports = {name: [each.shop, each.a, each.b] for name, each in self.ports.items()}
        return json.dumps({"folder": str(self.folder), "balancer": str(self.balancer), "ports": ports})

    @classmethod
    def from_json(cls, text: str) -> Places:
        """The places that `as_json` wrote."""
        found = json.loads(text)
        ports = {name: Ports(*each) for name, each in found["ports"].items()}
        return cls(Path(found["folder"]), Path(found["balancer"]), ports)

    def keep(self) -> None:
        """Remember the ports. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = {name: [each.shop, each.a, each.b] for name, each in self.ports.items()}
        beside = self.folder / f".{_FILE}"
        beside.write_text(json.dumps(ports), encoding="utf-8")
        beside.replace(self.folder / _FILE)


def places_in(folder: Path) -> Places:
    """The places of the shop in that folder, an absolute path. Ports are those of the start before, else the
    usual ones; one that somebody else has taken meanwhile is replaced. Nothing is written."""
    kept = _kept(folder / _FILE)
    ports: dict[str, Ports] = {}
    used = {port for each in (*_DEFAULTS.values(), *kept.values()) for port in each}
    for name, usual in _DEFAULTS.items():
        shop, a, b = kept.get(name, usual)
        ports[name] = Ports(
            shop if _is_free(shop, _GOING) else _another(used),
            *(port if _is_free(port) or _is_ours(port) else _another(used) for port in (a, b)),
        )
    return Places(folder, _balancer_folder(folder), ports)


def backend_of(environment: str, slot: Slot) -> str:
    """What the load balancer's backend for a slot is called."""
    return f"{SERVICE}_{environment}_{slot.value}"


def _kept(file: Path) -> dict[str, tuple[int, int, int]]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {name: (int(shop), int(a), int(b)) for name, (shop, a, b) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _is_free(port: int, patience: float = 0.0) -> bool:
    latest = time.monotonic() + patience
    while True:
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind(("127.0.0.1", port))
                return True
            except OSError:
                if time.monotonic() >= latest:
                    return False
        time.sleep(0.05)


def _is_ours(port: int) -> bool:
    """Whether a release of the shop answers there: one that a Guardian which was killed has left running."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        asking.request("GET", "/health")
        return asking.getresponse().getheader("Server") == "guardian-trial-shop"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()


def _another(used: set[int]) -> int:
    while True:
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            port = int(door.getsockname()[1])
        if port not in used:
            used.add(port)
            return port


def _balancer_folder(folder: Path) -> Path:
    """Below `folder`, if HAProxy can do with such a path; else in the folder for temporary files, under a
    name that is always the same for that folder."""
    if _PLAIN.fullmatch(str(folder)):
        return folder / "haproxy"
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"guardian-{os.getuid()}-{name}"
