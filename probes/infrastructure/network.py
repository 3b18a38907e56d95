"""What goes over the network interfaces, and what gets lost there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import psutil

from probes.base import Layer, ProblemKind, Reading, Unit, measured, unmeasured

_SHORTEST = 0.1
"""Seconds below which a rate would be chance."""
_PAUSE = 0.25
"""How long a reading waits for more when the last one was just now."""
_OTHERS_ENDS = ("lo", "veth", "cali", "lxc", "vnet", "tap")
"""Loopback, and the host's ends of containers' and virtual machines' cables: they come and go with those."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The counters of one interface since the machine started: bytes, and packets in trouble both ways."""

    received: int
    sent: int
    errors: int
    drops: int


def traffic() -> dict[str, Traffic]:
    """The counters of all interfaces. They wrap or start anew; nothing is smoothed over here."""
    return {
        name: Traffic(io.bytes_recv, io.bytes_sent, io.errin + io.errout, io.dropin + io.dropout)
        for name, io in psutil.net_io_counters(pernic=True, nowrap=False).items()
    }


class Network:
    """`network_receive_rate`, `network_transmit_rate` (bytes), `network_errors`, `network_drops` (packets).

    Each a second, since the previous reading, on targets `HOST:INTERFACE`.

    Without `interfaces` all are watched that have carried anything, but for loopback and the cables of
    containers; with them just those. Counters that went back (wrapped, or the driver was loaded anew) give
    no reading that time. Bridges, tunnels and dongles come and go: one that is gone is forgotten. Only an
    interface that was asked for by name is the problem `not_found` while it is not there.
    """

    name: ClassVar[str] = "network"
    layer: ClassVar[Layer] = Layer.INFRASTRUCTURE
    metrics: ClassVar[Mapping[str, Unit]] = {
        "network_receive_rate": Unit.BYTES_PER_SECOND,
        "network_transmit_rate": Unit.BYTES_PER_SECOND,
        "network_errors": Unit.PER_SECOND,
        "network_drops": Unit.PER_SECOND,
    }

    def __init__(
        self,
        *,
        host: str,
        interfaces: Sequence[str] | None = None,
        interval: timedelta = timedelta(seconds=15),
        timeout: timedelta = timedelta(seconds=5),
        counters: Callable[[], dict[str, Traffic]] = traffic,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self.target = host
        self.interval = interval
        self.timeout = timeout
        self._interfaces = None if interfaces is None else tuple(interfaces)
        self._counters = counters
        # The moment handed in is the wall clock's, which gets set; a rate needs the time that really passed.
        self._stopwatch = stopwatch
        self._before = counters()
        self._read = stopwatch()
        self._seen: set[str] = set()

    def read_blocking(self, at: datetime) -> list[Reading]:
        """Four readings an interface; sleeps 0.25 s if the previous ones were less than 0.1 s ago."""
        if self._stopwatch() - self._read < _SHORTEST:
            time.sleep(_PAUSE)
        now = self._counters()
        moment = self._stopwatch()
        before, elapsed = self._before, moment - self._read
        self._before, self._read = now, moment
        readings: list[Reading] = []
        wanted = self._wanted(now)
        for name in wanted:
            target = f"{self.target}:{name}"
            if name not in now:
                problem = "no longer there" if name in self._seen else "no such interface"
                metric, unit = "network_receive_rate", Unit.BYTES_PER_SECOND
                readings.append(unmeasured(metric, target, unit, at, ProblemKind.NOT_FOUND, problem))
                continue
            self._seen.add(name)
            if name in before and elapsed > 0:
                readings += self._rates(target, before[name], now[name], elapsed, at)
        self._seen.intersection_update(wanted)
        return readings

    def _wanted(self, now: Mapping[str, Traffic]) -> list[str]:
        if self._interfaces is not None:
            return list(self._interfaces)
        return [
            name
            for name, io in now.items()
            if not name.startswith(_OTHERS_ENDS) and (io.received or io.sent or name in self._seen)
        ]

    def _rates(
        self, target: str, before: Traffic, now: Traffic, elapsed: float, at: datetime
    ) -> list[Reading]:
        changes = (
            now.received - before.received,
            now.sent - before.sent,
            now.errors - before.errors,
            now.drops - before.drops,
        )
        if min(changes) < 0:
            return []  # one went back: the others started anew with it, and would show too little
        return [
            measured(metric, target, change / elapsed, unit, at)
            for (metric, unit), change in zip(self.metrics.items(), changes, strict=True)
        ]
