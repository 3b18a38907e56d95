"""HAProxy's own log, which it sends us a datagram a request: how long every single request took.

The averages in `show stat` stay put when nothing comes and have no percentiles, so they are not used. The
datagrams are of RFC 5424 with an element of ours (`log-format-sd`): whoever has a log-format keeps it.

HAProxy waits for nobody: it drops what we do not take in time. A Unix socket holds few datagrams (ten, unless
`net.unix.max_dgram_qlen` says more), a UDP port megabytes.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from bot.domain.deploy.measures import BOUNDS, Latencies, bucket_of
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.haproxy.configuration import local_port

ELEMENT = "guardian@32473"
"""32473 is the enterprise number that RFC 5612 sets aside for those who have none"""
LOG_FORMAT_SD = rf"[{ELEMENT} backend=\"%b\" status=\"%ST\" times=\"%Tw/%Tc/%Tr/%Ta\"]"
"""for haproxy.cfg, in quotes: who answered, how, and after how many milliseconds"""
LONGEST = 400
"""bytes that HAProxy is told to send of a line: our element comes first, and the rest is not read"""

_LINE = re.compile(
    rb'\[guardian@32473 backend="([A-Za-z0-9_.:-]{1,100})" status="-?[0-9]{1,4}" '
    rb'times="(-?[0-9]{1,9})/(-?[0-9]{1,9})/(-?[0-9]{1,9})/\+?(-?[0-9]{1,9})"\]'
)
_LARGEST = 8192
_AT_ONCE = 500
"""datagrams that are read before others in this program get their turn"""
_BUFFER = 4 * 1024 * 1024
"""bytes that the kernel keeps for us while we do something else; it gives what it allows"""


class LogStream:
    """Listens for the log, and counts durations for the backends that it was made for. Holds one number a
    bucket and backend, however much comes. Several may listen at once: an address has one socket."""

    def __init__(self, address: str, backends: Iterable[str]) -> None:
        self._address = address
        self._counts: dict[bytes, list[int]] = {}
        self.count_for(backends)
        self._listeners = 0
        self._socket: socket.socket | None = None
        self._known = {whole: bucket_of(whole) for whole in range(1000)}
        self.heard = 0
        """lines about one of the backends"""
        self.others = 0
        """lines about other backends, or of no backend"""
        self.malformed = 0
        """datagrams that are none of our lines"""

    def count_for(self, backends: Iterable[str]) -> None:
        """Count for these as well."""
        for backend in backends:
            self._counts.setdefault(backend.encode(), [0] * (len(BOUNDS) + 1))

    def open(self) -> None:
        """Listen from now on, in the running event loop, until it was closed as often as it was opened.
        Raises TrafficFailed(traffic_gone) when the address cannot be had."""
        if self._socket is None:
            try:
                self._socket = _listening(self._address)
            except OSError as error:
                raise TrafficFailed("traffic_gone", f"{self._address}: {error.strerror or error}") from None
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)
        self._listeners += 1

    def close(self) -> None:
        """Listen no longer, if nobody else does. What was counted stays."""
        self._listeners = max(0, self._listeners - 1)
        if self._socket is None or self._listeners:
            return
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self._socket = None
        if local_port(self._address) is None:
            with suppress(OSError):
                os.unlink(self._address)

    @property
    def listening(self) -> bool:
        """Whether it is open."""
        return self._socket is not None

    def latencies(self, backend: str) -> Latencies:
        """Everything that was counted for one of the backends that it was made for."""
        return Latencies(tuple(self._counts[backend.encode()]))

    def _read(self) -> None:
        assert self._socket is not None  # noqa: S101 - its reader is removed before it is closed
        receive, take = self._socket.recv, self.take
        for _ in range(_AT_ONCE):
            try:
                datagram = receive(_LARGEST)
            except OSError:  # nothing more for now
                return
            take(datagram)

    def take(self, datagram: bytes) -> None:
        """Count one datagram."""
        found = _LINE.search(datagram)
        if found is None:
            self.malformed += 1
            return
        counts = self._counts.get(found[1])
        if counts is None:
            self.others += 1
            return
        took = duration(int(found[2]), int(found[3]), int(found[4]), int(found[5]))
        bucket = self._known.get(took)
        counts[bucket_of(took) if bucket is None else bucket] += 1
        self.heard += 1


class LogStreams:
    """One stream an address, for all who listen there: a load balancer sends all that it tells to one."""

    def __init__(self) -> None:
        self._made: dict[object, LogStream] = {}

    def of(self, address: str, backends: Iterable[str]) -> LogStream:
        """The stream of that address, which counts for these backends as well."""
        stream = self._made.setdefault(local_port(address) or address, LogStream(address, ()))
        stream.count_for(backends)
        return stream


def duration(queued: int, connected: int, answered: int, all_told: int) -> int:
    """How long the service let a request wait, in milliseconds: in HAProxy's queue, for a connection and
    until the head of the answer was there; without the time that the client takes to send or to read, which
    is nobody's merit and nobody's fault. Without an answer: until that was clear."""
    if answered < 0:
        return max(0, all_told)
    return max(0, queued) + max(0, connected) + answered


@dataclass(frozen=True, slots=True)
class _Place:
    family: socket.AddressFamily
    address: str | tuple[str, int]


def _listening(address: str) -> socket.socket:
    port = local_port(address)
    if port is None:
        _clear(address)
        place = _Place(socket.AF_UNIX, address)
    else:
        place = _Place(socket.AF_INET6 if ":" in port[0] else socket.AF_INET, port)
    listening = socket.socket(place.family, socket.SOCK_DGRAM)
    try:
        listening.setblocking(False)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        listening.bind(place.address)
        if port is None:
            os.chmod(address, 0o660)  # HAProxy has a user of its own, and shares a group with us
    except OSError:
        listening.close()
        raise
    return listening


def _clear(path: str) -> None:
    """Remove the socket that one of us left behind when it was killed; nothing else, and none in use."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as trying:
        try:
            trying.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
