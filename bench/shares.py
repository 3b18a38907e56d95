"""The share of traffic as HAProxy itself has it, looked at every two milliseconds by somebody who does
nothing else."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration

_EVERY = 0.002
_PROMPT = b"\n> "
_VALUE = re.compile(rb'value="(\d+)"')


@dataclass(slots=True)
class Shares:
    """Every change that was seen: its monotonic moment, which is that at which HAProxy's answer had come, and
    the percentage of slot b."""

    changes: list[tuple[float, int]] = field(default_factory=list)

    def back_at(self, moment: float) -> float:
        """When slot a was first seen to carry everything since then. ValueError if it never was, or if it did
        already."""
        before = [share for at, share in self.changes if at < moment]
        if not before or before[-1] == 0:
            raise ValueError("there was nothing to go back from")
        for at, share in self.changes:
            if at >= moment and share == 0:
                return at
        raise ValueError("slot a never came to carry everything")

    def seconds(self, moments: Sequence[float]) -> list[float]:
        """How long that took from each of these moments on."""
        return [self.back_at(moment) - moment for moment in moments]

    @property
    def now(self) -> int:
        """The last one seen."""
        return self.changes[-1][1] if self.changes else 0


@contextmanager
def watched(its: HaproxyConfiguration) -> Iterator[Shares]:
    """Look until the block ends, on a thread and a connection of its own."""
    shares, over = Shares(), threading.Event()
    look = f"get map {its.map} {its.key}\n".encode()
    failed: list[Exception] = []

    def watch() -> None:
        try:
            with socket.socket(socket.AF_UNIX) as door:
                door.settimeout(30)
                door.connect(its.socket)
                _said(door, b"prompt\n")
                while not over.is_set():
                    found = _VALUE.search(_said(door, look))
                    if found is None:
                        raise ValueError("HAProxy's map has no such entry")
                    if not shares.changes or shares.now != int(found[1]):
                        shares.changes.append((time.monotonic(), int(found[1])))
                    time.sleep(_EVERY)
        except (OSError, ValueError) as error:
            failed.append(error)

    thread = threading.Thread(target=watch, name="shares")
    thread.start()
    try:
        yield shares
    finally:
        over.set()
        thread.join()
    if failed:
        raise failed[0]


def _said(door: socket.socket, line: bytes) -> bytes:
    """What HAProxy says to a line, up to its prompt."""
    door.sendall(line)
    answer = b""
    while not answer.endswith(_PROMPT):
        chunk = door.recv(65536)
        if not chunk:
            raise ConnectionError("HAProxy hung up")
        answer += chunk
    return answer
