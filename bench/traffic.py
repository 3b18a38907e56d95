"""Shares of traffic changed under wrk's full load: the map that the driver writes beside plain weights of the
same HAProxy. And what listening to its log costs, and what the watchdog takes."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from pydantic import JsonValue

from bench.figures import Figure, Result, middle, percentile
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.guarding import watchdog_command
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.tools.traffic.haproxy.driver import HaproxyTraffic
from bot.tools.traffic.haproxy.log_stream import LogStream
from bot.tools.traffic.haproxy.program import haproxy_program
from bot.tools.traffic.haproxy.runtime import Runtime
from bot.tools.traffic.haproxy.snippet import Split, backends_snippet, frontend_snippet
from tests.ports import free_port

NAME = "traffic"
_CLIENTS = 50
_LINE = (
    b"<134>1 2026-11-29T17:52:16.941764+00:00 - haproxy 26765 - "
    b'[guardian@32473 backend="shop_a" status="200" times="0/0/3/3"] '
    b"127.0.0.1:34342 [29/Nov/2026:17:52:16.937] shop shop_a/app 0/0/0/3/3 200 100 - - ---- 1/1/0/0/0 0/0 "
    b'"GET / HTTP/1.1"\n'
)


async def measure(quick: bool) -> Result:
    """By turns on the same HAProxy: shifts by the map, and weights of two servers in one backend."""
    turns, shifts, lines = (1, 10, 2_000) if quick else (3, 200, 200_000)
    floor, ours = _Shifting(), _Shifting()
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name:
        async with _balancer(Path(name)) as balancer:
            traffic = HaproxyTraffic(balancer.configuration)
            runtime = Runtime(balancer.configuration.socket, 10.0)

            async def by_weight(share: int) -> None:
                # The receiver first, and both in one line: whoever is first at 0 leaves nobody to take it.
                a, b = (f"set server both/{slot} weight {weight}" for slot, weight in _weights(share))
                await runtime.ask(*((b, a) if share else (a, b)))

            for _ in range(turns):
                await floor.under_load(balancer.weighted, shifts, by_weight)
                await ours.under_load(balancer.mapped, shifts, traffic.shift)
        memory = await _watchdog(Path(name) / "leases", settle=1.0 if quick else 5.0)
    received, taken = await _lines(lines)
    plain = await _asleep("import asyncio")
    requests = f"of {floor.requests + ours.requests:,} requests, {turns * shifts} changes each"
    figures = [
        Figure("traffic: the call of a change, p50", "ms", middle(floor.calls), middle(ours.calls)),
        Figure(
            "traffic: the call of a change, p95",
            "ms",
            percentile(floor.calls, 95),
            percentile(ours.calls, 95),
        ),
        Figure(f"traffic: {requests}", "failed", floor.failed, ours.failed, at_most=1),
        Figure("traffic: a line of HAProxy's log", "µs", received, taken),
        Figure("traffic: the watchdog at rest, memory", "MB", plain, memory, at_most=25),
    ]
    runs: dict[str, JsonValue] = {"floor calls": [*floor.calls], "guardian calls": [*ours.calls]}
    method = f"wrk with {_CLIENTS} connections, {turns} × {shifts} changes each, by turns"
    return Result(NAME, method, figures, runs)


def _weights(share: int) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("a", 100 - share), ("b", share)


@dataclass
class _Shifting:
    """What was found while shares changed."""

    calls: list[float] = field(default_factory=list)
    requests: int = 0
    failed: int = 0

    async def under_load(self, url: str, shifts: int, shift: Callable[[int], Awaitable[None]]) -> None:
        """Change it to 0, 25, 50, 75 and 100 in turn while wrk asks."""
        seconds = max(2, shifts // 20)
        wrk = await asyncio.create_subprocess_exec(
            shutil.which("wrk") or "wrk", "-t1", f"-c{_CLIENTS}", f"-d{seconds}s", url,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await asyncio.sleep(0.5)
        pause = (seconds - 1) / shifts
        for number in range(shifts):
            share = number % 5 * 25
            began = time.perf_counter()
            await shift(share)
            self.calls.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(max(0.0, pause - (time.perf_counter() - began)))
        said = (await wrk.communicate())[0].decode()
        self.requests += _number(r"(\d+) requests in", said)
        self.failed += _number(r"Non-2xx or 3xx responses: (\d+)", said)
        errors = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
        self.failed += sum(map(int, errors.groups())) if errors else 0


def _number(pattern: str, said: str) -> int:
    found = re.search(pattern, said)
    return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class _Balancer:
    configuration: HaproxyConfiguration
    mapped: str
    weighted: str


@asynccontextmanager
async def _balancer(folder: Path) -> AsyncIterator[_Balancer]:
    """HAProxy, which also answers as both slots: nothing is faster, so its own work weighs most."""
    mapped, weighted, *slots = (free_port() for _ in range(4))
    its = HaproxyConfiguration(
        str(folder / "admin.sock"), str(folder / "shop.map"), "shop",
        {Slot.A: "shop_a", Slot.B: "shop_b"}, "app", timeout=10.0,
    )  # fmt: skip
    addresses = {slot: f"127.0.0.1:{port}" for slot, port in zip(Slot, slots, strict=True)}
    answering = "".join(
        f"frontend slot_{slot}\n bind {address}\n"
        f" http-request return status 200 content-type text/plain string {slot}\n"
        for slot, address in addresses.items()
    )
    both = "".join(f" server {slot} {address} weight 50\n" for slot, address in addresses.items())
    (folder / "shop.map").write_text("shop 0\n")
    (folder / "haproxy.cfg").write_text(
        f"global\n stats socket {its.socket} level admin\n"
        "defaults\n mode http\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n"
        f"frontend shop\n bind 127.0.0.1:{mapped}\n{frontend_snippet(its, Split('place', 'X-Slot'))}"
        f"frontend weighted\n bind 127.0.0.1:{weighted}\n default_backend both\nbackend both\n{both}"
        f"{backends_snippet(its, addresses)}{answering}"
    )
    program = haproxy_program() or "haproxy"
    process = await asyncio.create_subprocess_exec(program, "-f", str(folder / "haproxy.cfg"))
    try:
        async with asyncio.timeout(30):
            while not await _answers(its):  # noqa: ASYNC110 - it rings no bell
                await asyncio.sleep(0.01)
        yield _Balancer(its, f"http://127.0.0.1:{mapped}/", f"http://127.0.0.1:{weighted}/")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(its: HaproxyConfiguration) -> bool:
    try:
        return await HaproxyTraffic(its).share() == 0
    except TrafficFailed:
        return False


async def _lines(count: int) -> tuple[float, float]:
    """Microseconds a line: only received, and received and counted."""
    stream = LogStream("/unused", ("shop_a", "shop_b"))
    return _receiving(count, lambda _: None), _receiving(count, stream.take)


def _receiving(count: int, take: Callable[[bytes], None]) -> float:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiving,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending,
    ):
        receiving.bind(("127.0.0.1", 0))
        receiving.settimeout(5)
        sending.connect(receiving.getsockname())
        spent = 0.0
        for _ in range(count // 100):
            for _ in range(100):
                sending.send(_LINE)
            began = time.perf_counter()
            for _ in range(100):
                take(receiving.recv(8192))
            spent += time.perf_counter() - began
    return spent / (count // 100 * 100) * 1e6


async def _watchdog(folder: Path, settle: float) -> float:
    """Resident memory at rest, in MB."""
    return await _resident(watchdog_command(folder), settle)


async def _asleep(code: str) -> float:
    """That of Python with something imported."""
    return await _resident([sys.executable, "-c", f"{code}; import time; time.sleep(600)"], 1.0)


async def _resident(command: list[str], settle: float) -> float:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    try:
        await asyncio.sleep(settle)
        return float(psutil.Process(process.pid).memory_info().rss) / 1e6
    finally:
        process.terminate()
        await process.wait()
