"""Releases as processes of this machine, each under a small supervisor that outlives the Guardian.

Needs Linux. Supervisors live in sessions of their own, but in the control group of whoever started them:
where systemd runs the Guardian, its unit needs `KillMode=process`. After a reboot nothing runs: whoever needs
the releases back starts them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from errno import EADDRINUSE
from pathlib import Path

import psutil
from pydantic import SecretStr

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.measures import Usage
from bot.domain.deploy.revisions import valid_revision
from bot.domain.deploy.slots import Slot
from bot.tools.commands import PASSED_ON, passed_on
from bot.tools.releases.contract import Instance, ReleaseFailed
from bot.tools.releases.supervised import Found, Place, SupervisorFailed, order
from bot.tools.releases.templates import OutsideError, fill, fill_all, fill_path
from bot.tools.releases.usage import Meter

_WAITS = 30.0
"""seconds to wait for another Guardian that is at the same slot"""


@dataclass(frozen=True, slots=True)
class ProcessReleases:
    """How releases are run. In words of the command, in the directory and in values of the environment
    {revision}, {slot}, {host} and {port} can stand, in the command and the environment also {directory}."""

    command: tuple[str, ...]
    directory: str
    """where a release lies and is started; where it isn't there, the revision isn't known"""
    slots: Mapping[Slot, Address]
    state: Path
    """a folder for what is remembered of these releases; of this service and environment only"""
    logs: Path
    """a folder for what releases say: `SLOT.log` and the one before it"""
    environment: Mapping[str, str] = field(default_factory=dict)
    """what a release gets besides GUARDIAN_REVISION, GUARDIAN_SLOT, GUARDIAN_MARKER, HOST and PORT"""
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    """what a release gets besides and nobody else may see: as it is, without places"""
    passed_on: tuple[str, ...] = PASSED_ON
    """of our environment"""
    stop_within: float = 10.0
    """seconds from asking a release to end to making it"""
    start_within: float = 10.0
    """seconds until it must have been started; not until it is healthy"""
    log_bytes: int = 10 * 1024 * 1024
    backoff: tuple[float, float, float] = (0.5, 30.0, 60.0)
    """seconds before a release that has ended is started again: at first, at most (it doubles), and after
    how long a run it is the first again"""


class ProcessDriver:
    """Runs releases as processes of this machine."""

    def __init__(self, releases: ProcessReleases) -> None:
        self._releases = releases
        self._meter = Meter()

    async def start(self, slot: Slot, revision: str, marker: str) -> Instance:
        """As the contract says. A port that somebody else has taken is an error (release_start), and so is a
        program that isn't there."""
        return await asyncio.to_thread(self._start, slot, revision, marker)

    async def find(self, slot: Slot) -> Instance | None:
        """As the contract says."""
        found = await asyncio.to_thread(self._place(slot).settled)
        return None if found is None else _instance(slot, found)

    async def stop(self, slot: Slot) -> bool:
        """As the contract says; takes `stop_within` and some seconds at most."""
        return await asyncio.to_thread(self._stop, slot)

    async def usage(self, slot: Slot) -> Usage | None:
        """As the contract says; all processes of the release together."""

        def measure() -> Usage | None:
            found = self._place(slot).look()
            return None if found is None or found.child is None else self._meter.measure(found.child)

        return await asyncio.to_thread(measure)

    async def known(self, revision: str) -> bool:
        """Whether its directory is there."""
        directory = self._directory(revision)
        return directory is not None and await asyncio.to_thread(directory.is_dir)

    def _place(self, slot: Slot) -> Place:
        return Place(self._releases.state, slot)

    def _values(self, slot: Slot, revision: str, marker: str) -> dict[str, str]:
        address = self._releases.slots[slot]
        return {"revision": revision, "slot": slot.value, "marker": marker,
                "host": address.host, "port": str(address.port)}  # fmt: skip

    def _directory(self, revision: str) -> Path | None:
        if not valid_revision(revision):
            return None
        try:
            return fill_path(self._releases.directory, {"revision": revision})
        except OutsideError:
            return None

    def _start(self, slot: Slot, revision: str, marker: str) -> Instance:
        releases, place = self._releases, self._place(slot)
        directory = self._directory(revision)
        if directory is None or not directory.is_dir():
            raise ReleaseFailed("release_unknown", revision if directory is None else str(directory))
        values = self._values(slot, revision, marker) | {"directory": str(directory)}
        words = order(
            revision=revision,
            command=fill_all(releases.command, values),
            directory=directory,
            environment=self._environment(values),
            patience=releases.stop_within,
            backoff=releases.backoff,
            log=releases.logs / f"{slot.value}.log",
            log_bytes=releases.log_bytes,
        )
        try:
            with place.held(releases.stop_within + _WAITS) as hold:
                found = place.look()
                if found is None or not _is(found, revision, marker):
                    _end(place, releases.stop_within)
                    _refuse_a_taken_port(releases.slots[slot])
                    place.launch(hold, marker, words, releases.start_within)
                    found = place.look()
        except SupervisorFailed as error:
            raise ReleaseFailed("release_start", str(error)) from None
        if found is None:
            raise ReleaseFailed("release_start", "it ended at once, and its supervisor with it")
        return _instance(slot, found)

    def _stop(self, slot: Slot) -> bool:
        if not self._releases.state.is_dir():
            return False
        place = self._place(slot)
        try:
            with place.held(self._releases.stop_within + _WAITS):
                return _end(place, self._releases.stop_within)
        except SupervisorFailed as error:
            raise ReleaseFailed("release_stop", str(error)) from None

    def _environment(self, values: Mapping[str, str]) -> dict[str, str]:
        given = {name: fill(value, values) for name, value in self._releases.environment.items()}
        secrets = {name: value.get_secret_value() for name, value in self._releases.secrets.items()}
        return {
            **passed_on(self._releases.passed_on),
            "GUARDIAN_REVISION": values["revision"],
            "GUARDIAN_SLOT": values["slot"],
            "GUARDIAN_MARKER": values["marker"],
            "HOST": values["host"],
            "PORT": values["port"],
            **given,
            **secrets,
        }


def _is(found: Found, revision: str, marker: str) -> bool:
    """Whether that is the release meant, in good hands."""
    state = found.state
    return found.supervised and (state["revision"], state["marker"]) == (revision, marker)


def _end(place: Place, patience: float) -> bool:
    try:
        return place.end(patience)
    except SupervisorFailed as error:
        raise ReleaseFailed("release_stop", str(error)) from None


def _instance(slot: Slot, found: Found) -> Instance:
    state = found.state
    return Instance(
        slot=slot,
        revision=state["revision"],
        marker=state["marker"],
        started_at=datetime.fromtimestamp(state["started_at"], UTC),
        restarts=state["restarts"],
        alive=found.alive,
    )


def _refuse_a_taken_port(address: Address) -> None:
    """A release that finds its port taken would end again and again, and who answers there meanwhile is
    somebody else. Raises ReleaseFailed."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((address.host, address.port))
        except OSError as error:
            if error.errno == EADDRINUSE:
                holder = _who_listens(address.port)
                raise ReleaseFailed("release_start", f"{address}: taken{holder}") from None
            # An address that isn't ours, a port for root alone: the release will tell.


def _who_listens(port: int) -> str:
    try:
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port and each.pid:
                return f" by process {each.pid} ({psutil.Process(each.pid).name()})"
    except psutil.Error:
        pass
    return ""
