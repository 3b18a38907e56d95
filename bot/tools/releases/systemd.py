"""Releases as units of systemd, which supervises them: one unit a slot, from a template like
`shop@.service` with `EnvironmentFile=/etc/shop/%i.env` and `Restart=always`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.measures import Usage
from bot.domain.deploy.revisions import valid_revision
from bot.domain.deploy.slots import Slot
from bot.tools.releases import environment_file
from bot.tools.releases.asking import ask, unreadable
from bot.tools.releases.contract import Instance, ReleaseFailed
from bot.tools.releases.environment_file import Written
from bot.tools.releases.templates import OutsideError, fill, fill_path
from bot.tools.releases.usage import Meter

_ALIVE = ("active", "reloading", "deactivating")
_MARK = ("GUARDIAN_REVISION", "GUARDIAN_MARKER")


@dataclass(frozen=True, slots=True)
class SystemdReleases:
    """Which units releases run in. {slot} can stand in `unit` and `environment_file`, {revision} in
    `directory`, {revision}, {slot}, {host}, {port} and {directory} in values of the environment, and what
    `names` has in all of them."""

    unit: str
    """`shop@{slot}.service`"""
    environment_file: str
    """`/etc/shop/{slot}.env`: what the unit names as its EnvironmentFile; written by the Guardian"""
    slots: Mapping[Slot, Address]
    directory: str = ""
    """where a release lies, if there is such a place: without it every revision counts as known"""
    environment: Mapping[str, str] = field(default_factory=dict)
    """what goes into the file besides GUARDIAN_REVISION, GUARDIAN_SLOT, GUARDIAN_MARKER, HOST and PORT"""
    names: Mapping[str, str] = field(default_factory=dict)
    """what {service} and {environment} are"""
    systemctl: tuple[str, ...] = ("systemctl",)
    """also `[systemctl, --user]` or with sudo before it"""
    within: float = 120.0
    """seconds for a start or a stop: more than the unit's own time-outs"""
    answer_within: float = 10.0
    """seconds for a question"""


class _Shown(BaseModel):
    """What `systemctl show` says of a unit (systemctl(1), org.freedesktop.systemd1(5))."""

    active: str = Field(alias="ActiveState")
    sub: str = Field(alias="SubState")
    pid: int = Field(alias="MainPID", default=0)
    restarts: int = Field(alias="NRestarts", default=0)
    began: int = Field(alias="ExecMainStartTimestampMonotonic", default=0)
    """microseconds of the monotonic clock"""
    invocation: str = Field(alias="InvocationID", default="")
    """another one for each start, also of its own accord"""

    @property
    def there(self) -> bool:
        """Whether it runs, or will again of its own accord."""
        return self.active in _ALIVE or self.active == "activating"

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self.active in _ALIVE or (self.active == "activating" and self.sub != "auto-restart")


_PROPERTIES = ",".join(str(each.alias) for each in _Shown.model_fields.values())


class SystemdDriver:
    """Runs releases as units of systemd."""

    def __init__(self, releases: SystemdReleases) -> None:
        self._releases = releases
        self._meter = Meter()

    async def start(self, slot: Slot, revision: str, marker: str) -> Instance:
        """As the contract says: writes the environment file and restarts the unit."""
        if not await self.known(revision):
            raise ReleaseFailed("release_unknown", revision)
        shown = await self._show(slot)
        written = await self._written(slot)
        before = self._read_by(shown, written)
        if shown.there and tuple(before.get(name) for name in _MARK) == (revision, marker):
            return self._instance(slot, shown, before)
        invocation = shown.invocation if shown.there else ""
        new = Written(self._variables(slot, revision, marker), invocation, dict(before))
        try:
            await asyncio.to_thread(environment_file.write, self._file(slot), new)
        except (OSError, ValueError) as error:
            raise ReleaseFailed("release_start", str(error)) from None
        # A unit that was started too often refuses; it is forgiven, and its restarts are counted anew.
        await self._systemctl(("reset-failed", self._unit(slot)), "release_start", accepted=range(256))
        await self._systemctl(("restart", self._unit(slot)), "release_start")
        shown = await self._show(slot)
        return self._instance(slot, shown, new.variables)

    async def find(self, slot: Slot) -> Instance | None:
        """As the contract says."""
        shown = await self._show(slot)
        if not shown.there:
            return None
        return self._instance(slot, shown, self._read_by(shown, await self._written(slot)))

    async def stop(self, slot: Slot) -> bool:
        """As the contract says; how long that may take is the unit's to say (TimeoutStopSec)."""
        if not (await self._show(slot)).there:
            return False
        await self._systemctl(("stop", self._unit(slot)), "release_stop")
        shown = await self._show(slot)
        if shown.there:
            raise ReleaseFailed("release_stop", f"{self._unit(slot)}: {shown.active} ({shown.sub})")
        return True

    async def usage(self, slot: Slot) -> Usage | None:
        """As the contract says; its main process and all that this one started."""
        shown = await self._show(slot)
        return await asyncio.to_thread(self._meter.measure, shown.pid) if shown.there and shown.pid else None

    async def known(self, revision: str) -> bool:
        """Whether it is a name, and its directory is there if releases have such."""
        if not valid_revision(revision):
            return False
        if not self._releases.directory:
            return True
        try:
            directory = fill_path(self._releases.directory, {**self._releases.names, "revision": revision})
        except OutsideError:
            return False
        return await asyncio.to_thread(directory.is_dir)

    def _unit(self, slot: Slot) -> str:
        return fill(self._releases.unit, {**self._releases.names, "slot": slot.value})

    def _file(self, slot: Slot) -> Path:
        return Path(fill(self._releases.environment_file, {**self._releases.names, "slot": slot.value}))

    def _variables(self, slot: Slot, revision: str, marker: str) -> dict[str, str]:
        address = self._releases.slots[slot]
        values = {**self._releases.names, "revision": revision, "slot": slot.value}
        values |= {"host": address.host, "port": str(address.port)}
        values["directory"] = fill(self._releases.directory, values)
        return {
            "GUARDIAN_REVISION": revision,
            "GUARDIAN_SLOT": slot.value,
            "GUARDIAN_MARKER": marker,
            "HOST": address.host,
            "PORT": str(address.port),
            **{name: fill(value, values) for name, value in self._releases.environment.items()},
        }

    async def _systemctl(self, words: tuple[str, ...], reason: str, accepted: range = range(1)) -> None:
        command = (*self._releases.systemctl, "--no-ask-password", *words)
        await ask(command, self._releases.within, reason, accepted=accepted)

    async def _show(self, slot: Slot) -> _Shown:
        command = (*self._releases.systemctl, "show", "--property", _PROPERTIES, self._unit(slot))
        ran = await ask(command, self._releases.answer_within)
        pairs = (line.partition("=") for line in ran.out.splitlines())
        # What isn't known is empty or says so ("[not set]" is what systemd prints for some numbers).
        found = {name: value for name, _, value in pairs if value not in ("", "[not set]")}
        try:
            return _Shown.model_validate(found)
        except ValidationError as error:
            raise unreadable(command, error) from None

    async def _written(self, slot: Slot) -> Written | None:
        try:
            return await asyncio.to_thread(environment_file.read, self._file(slot))
        except OSError as error:
            raise ReleaseFailed("release_tool", str(error)) from None

    @staticmethod
    def _read_by(shown: _Shown, written: Written | None) -> Mapping[str, str]:
        return {} if written is None else written.read_by(shown.invocation)

    @staticmethod
    def _instance(slot: Slot, shown: _Shown, variables: Mapping[str, str]) -> Instance:
        ago = time.clock_gettime(time.CLOCK_MONOTONIC) - shown.began / 1e6
        return Instance(
            slot=slot,
            revision=variables.get("GUARDIAN_REVISION", ""),
            marker=variables.get("GUARDIAN_MARKER", ""),
            started_at=datetime.now(UTC) - timedelta(seconds=ago) if shown.began else None,
            restarts=shown.restarts,
            alive=shown.alive,
        )
