"""The shop while the trial runs: releases, load balancer and visitors, brought up as they were left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.tools.git_import import GitFailed, has_git
from bot.tools.releases.contract import ReleaseFailed
from bot.tools.releases.process import ProcessDriver, ProcessReleases
from bot.trial.balancer import Balancer
from bot.trial.shop.history import REVISIONS
from bot.trial.shop.places import PRODUCTION, SERVICE, Places
from bot.trial.shop.releases import COMMAND, write_releases, write_repository
from bot.trial.visitors import Visitors

MARKER = "trial"
"""of what was there before the first deployment"""
_NOTE = "running.json"
_STOP_WITHIN = 1.0
Noted = Mapping[str, Mapping[str, tuple[str, str]]]
"""By environment and slot: which release ran there, and the marker it was started with."""


def driver(places: Places, state: Path, environment: str) -> ProcessDriver:
    """Runs the releases of an environment, and finds those that the Guardian of that state directory runs."""
    ports, own = places.ports[environment], state / "deploy" / "releases" / SERVICE / environment
    return ProcessDriver(
        ProcessReleases(
            command=(sys.executable, *COMMAND),
            directory=f"{places.releases}/{{revision}}",
            slots={Slot.A: Address("127.0.0.1", ports.a), Slot.B: Address("127.0.0.1", ports.b)},
            state=own,  # as `bot.deploy_sites` has it
            logs=own / "logs",
            stop_within=_STOP_WITHIN,
        )
    )


class Shop:
    """The whole of it. One that is ended ends its releases too, whoever has started them, and notes what they
    were."""

    def __init__(self, places: Places, state: Path, program: str) -> None:
        """`state` is the Guardian's state directory; `program` is HAProxy's."""
        self._places = places
        self._releases = {name: driver(places, state, name) for name in places.ports}
        self._balancer = Balancer(program, places, state / "haproxy.log")
        self._tasks: list[asyncio.Task[None]] = []
        self.visitors = Visitors(places.ports[PRODUCTION].shop, random.Random())  # noqa: S311 - no secrets

    @property
    def balancer_pid(self) -> int | None:
        """The load balancer's process."""
        return self._balancer.pid

    async def start(self, now: datetime) -> None:
        """Bring it up: what ran when it was last ended, and in production the first release when nothing did.
        Raises OSError, ChildFailed, ReleaseFailed."""
        self._places.keep()
        await asyncio.to_thread(self._write, now)
        await self._balancer.start()
        await self._bring_up()
        self._tasks = [
            asyncio.create_task(self._balancer.keep()),
            asyncio.create_task(self.visitors.visit()),
        ]

    def _write(self, now: datetime) -> None:
        write_releases(self._places.releases)
        if has_git():
            try:
                write_repository(self._places.repository, now)
            except GitFailed as failed:  # the shop is worth a visit without release notes
                sys.stderr.write(f"no repository: {failed}\n")

    async def _bring_up(self) -> None:
        noted = self._noted()
        for environment, releases in self._releases.items():
            for slot in Slot:
                was = noted.get(environment, {}).get(slot)
                if was is not None and await releases.find(slot) is None:
                    try:
                        await releases.start(slot, *was)
                    except ReleaseFailed as failed:
                        sys.stderr.write(f"{environment}, slot {slot}: {failed}\n")
        production = self._releases[PRODUCTION]
        live = await asyncio.to_thread(self._live)
        if await production.find(live) is None:
            await production.start(live, REVISIONS[0], MARKER)

    def _live(self) -> Slot:
        """The slot that carries more of production, as the map's file says."""
        for line in self._places.map_file.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(" ")
            if key == PRODUCTION and value.isdecimal():
                return Slot.B if int(value) > 50 else Slot.A
        return Slot.A

    async def close(self) -> None:
        """End all of it, and note what ran. Never raises for what can't be ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # The load balancer first: its visitors see a shop that is closed, and not one that is broken.
        await self._balancer.stop()
        noted: dict[str, dict[str, tuple[str, str]]] = {}
        for name, releases in self._releases.items():
            for slot in Slot:
                with contextlib.suppress(ReleaseFailed):
                    instance = await releases.find(slot)
                    if instance is not None:
                        noted.setdefault(name, {})[slot.value] = (instance.revision, instance.marker)
        with contextlib.suppress(OSError):
            self._note(noted)
        ends = [self._end(name, slot) for name in self._releases for slot in Slot]
        await asyncio.gather(*ends)

    async def _end(self, environment: str, slot: Slot) -> None:
        try:
            await self._releases[environment].stop(slot)
        except ReleaseFailed as failed:
            sys.stderr.write(f"{environment}, slot {slot}: {failed}\n")

    def _note(self, noted: Noted) -> None:
        beside = self._places.folder / f".{_NOTE}"
        beside.write_text(json.dumps(noted), encoding="utf-8")
        beside.replace(self._places.folder / _NOTE)

    def _noted(self) -> Noted:
        with contextlib.suppress(OSError, ValueError, TypeError, LookupError, AttributeError):
            found = json.loads((self._places.folder / _NOTE).read_text(encoding="utf-8"))
            return {
                name: {slot: (str(was[0]), str(was[1])) for slot, was in slots.items()}
                for name, slots in found.items()
            }
        return {}
