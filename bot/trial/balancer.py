"""The load balancer before the trial's shop: a real HAProxy, which ends when we end, however that is."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from bot.domain.deploy.slots import Slot
from bot.tools.processes import Child, ChildFailed
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.tools.traffic.haproxy.runtime import Runtime
from bot.tools.traffic.haproxy.snippet import Split, backends_snippet, frontend_snippet
from bot.trial import tied
from bot.trial.shop.places import SERVER, Places, backend_of

SPLIT = Split(cookie="shop_place", header="X-Shop-Slot")
_READY_SECONDS = 15.0
_AGAIN_SECONDS = 1.0
_HEAD = """\
# Written by the Guardian's trial at every start.
global
    stats socket {socket} mode 600 level admin
    maxconn 1000
    nbthread 1
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout http-keep-alive 30s
    option redispatch
    option httplog
"""


def traffic_of(places: Places) -> Mapping[str, HaproxyConfiguration]:
    """How the traffic of each environment is told, by its name."""
    return {
        name: HaproxyConfiguration(
            socket=str(places.socket),
            map_file=str(places.map_file),
            key=name,
            backends={slot: backend_of(name, slot) for slot in Slot},
            server=SERVER,
            log=str(places.log_socket(name)),
        )
        for name in places.ports
    }


def configuration(places: Places) -> str:
    """The whole haproxy.cfg."""
    traffic = traffic_of(places)
    text = _HEAD.format(socket=places.socket)
    for name, ports in places.ports.items():
        text += f"frontend shop_{name}\n    bind 127.0.0.1:{ports.shop}\n"
        text += frontend_snippet(traffic[name], SPLIT)
        addresses = {Slot.A: f"127.0.0.1:{ports.a}", Slot.B: f"127.0.0.1:{ports.b}"}
        text += backends_snippet(traffic[name], addresses)
    return text


class Balancer:
    """HAProxy with that configuration."""

    def __init__(self, program: str, places: Places, log_file: Path) -> None:
        self._program = program
        self._places = places
        self._log_file = log_file
        self._file = places.balancer / "haproxy.cfg"
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Its process; None when it doesn't run."""
        return None if self._child is None else self._child.pid

    def write(self) -> None:
        """Write its files; who is live stays as it was. Raises OSError."""
        folder = self._places.balancer
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise PermissionError(1, "somebody else's", str(folder))
        folder.chmod(0o700)
        self._file.write_text(configuration(self._places), encoding="utf-8")
        shares = self._places.map_file
        if not shares.exists():
            beside = shares.with_name(".shares")
            lines = [f"{name} 0\n" for name in self._places.ports]
            beside.write_text("# how much of its traffic slot b has, in percent\n" + "".join(lines))
            beside.replace(shares)

    async def start(self) -> None:
        """Start it, and wait until it answers. Raises OSError and ChildFailed."""
        await asyncio.to_thread(self.write)
        words = [sys.executable, "-I", "-S", tied.__file__, str(os.getpid())]
        words += [self._program, "-f", str(self._file)]
        child = await Child.start(words, os.environ, self._log_file)
        self._child = child
        runtime = Runtime(str(self._places.socket), 2.0)
        ended = asyncio.create_task(child.wait())
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not ended.done():
                    try:
                        if f"Pid: {child.pid}\n" in await runtime.ask("show info"):
                            return
                    except TrafficFailed:
                        await asyncio.sleep(0.01)
        except TimeoutError:
            pass
        finally:
            ended.cancel()
        await self.stop()
        raise ChildFailed(None, f"HAProxy did not start: {self._log_file}")

    async def keep(self) -> NoReturn:
        """Start it again whenever it has ended, for ever."""
        while True:
            child = self._child
            if child is not None:
                status = await child.wait()
                sys.stderr.write(f"HAProxy has ended: {status}\n")
            await asyncio.sleep(_AGAIN_SECONDS)
            try:
                await self.start()
            except (OSError, ChildFailed) as error:
                sys.stderr.write(f"{error}\n")

    async def stop(self) -> None:
        """End it."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()
