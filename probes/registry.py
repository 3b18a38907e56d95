"""Every kind of probe by its name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from probes.application.response_time import ResponseTime
from probes.base import BlockingProbe, Probe
from probes.infrastructure.cpu import Cpu
from probes.infrastructure.disk import Disk
from probes.infrastructure.load import Load
from probes.infrastructure.memory import Memory
from probes.infrastructure.network import Network
from probes.infrastructure.processes import Processes


class HostProbe(Protocol):
    """Makes a probe of the machine itself: these need nothing but the host's name."""

    def __call__(self, *, host: str, interval: timedelta, timeout: timedelta) -> BlockingProbe: ...


class UnknownProbe(LookupError):
    """No probe has that name. `name` is what was asked for, `nearest` the most similar name or None."""

    def __init__(self, name: str, nearest: str | None) -> None:
        super().__init__(name)
        self.name = name
        self.nearest = nearest


HOST_PROBES: Mapping[str, HostProbe] = {
    "cpu": Cpu,
    "memory": Memory,
    "disk": Disk,
    "network": Network,
    "load": Load,
    "processes": Processes,
}
"""What a machine is watched with when nothing is configured."""

PROBES: Mapping[str, type[Probe]] = {
    probe.name: probe for probe in (Cpu, Memory, Disk, Network, Load, Processes, ResponseTime)
}
"""Every class, for its name, layer and metrics; each has its own constructor values."""


def probe_class(name: str) -> type[Probe]:
    """The class of that name; `UnknownProbe` with the nearest name if there is none."""
    try:
        return PROBES[name]
    except KeyError:
        close = difflib.get_close_matches(name, PROBES, n=1)
        raise UnknownProbe(name, close[0] if close else None) from None
