"""wrk, which asks without a pause, and what it has counted when it is stopped."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.program import running

_LONGEST = "6h"
_PATIENCE = "30s"
"""A request that takes longer has failed."""
_WARM = 1.0
_TOTAL = re.compile(r"(\d+) requests in ")
_RATE = re.compile(r"Requests/sec:\s+([0-9.]+)")
_REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_SOCKETS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


@dataclass(slots=True)
class Load:
    """What it has found; nothing until it is over."""

    requests: int = 0
    per_second: float = 0.0
    failures: int = 0
    """answers that are neither 2xx nor 3xx, and connections that failed"""


@asynccontextmanager
async def load(url: str, connections: int) -> AsyncIterator[Load]:
    """That many connections, each asking again as soon as it is answered, from a second before the block
    until its end. Raises FileNotFoundError without wrk, and ValueError for a load that was none."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise FileNotFoundError("this bench needs wrk: apt-get install wrk")
    found = Load()
    threads = min(2, connections)
    arguments = [f"-t{threads}", f"-c{connections}", f"-d{_LONGEST}", "--timeout", _PATIENCE, url]
    async with running(arguments, {}, wrk) as program:
        await asyncio.sleep(_WARM)
        yield found
        program.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            await program.process.wait()
        said = program.log.read_text(encoding="utf-8")
    total, rate = _TOTAL.search(said), _RATE.search(said)
    if total is None or rate is None or total[1] == "0":
        raise ValueError(f"wrk carried nothing: {said}")
    found.requests, found.per_second = int(total[1]), float(rate[1])
    refused, sockets = _REFUSED.search(said), _SOCKETS.search(said)
    found.failures = int(refused[1]) if refused is not None else 0
    found.failures += sum(map(int, sockets.groups())) if sockets is not None else 0
