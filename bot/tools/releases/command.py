"""Releases by commands of one's own: for whatever else runs them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.measures import Usage
from bot.domain.deploy.revisions import valid_revision
from bot.domain.deploy.slots import Slot
from bot.tools.releases.asking import ask, unreadable
from bot.tools.releases.contract import Instance, ReleaseFailed
from bot.tools.releases.templates import fill_all

NOT_RUNNING = 3
"""the exit status of `status` that says so, as of init scripts (LSB)"""


@dataclass(frozen=True, slots=True)
class CommandReleases:
    """The commands. {slot}, {host}, {port}, {revision}, {marker} and what `names` has can stand in their
    words; revision and marker are also GUARDIAN_REVISION and GUARDIAN_MARKER in their environment."""

    start: tuple[str, ...]
    """starts that revision in that slot, in the background; what was there before has been stopped"""
    stop: tuple[str, ...]
    """stops what runs in that slot; status 0 also when nothing did"""
    status: tuple[str, ...]
    """status 0 when something runs, 3 when nothing does; says JSON or nothing: `{"revision": "v1",
    "marker": "run-1", "alive": true, "restarts": 0, "started_at": "2026-11-29T12:00:00Z"}`, all optional"""
    slots: Mapping[Slot, Address]
    state: Path
    """a folder to remember in what was started, for a `status` that doesn't tell"""
    usage: tuple[str, ...] = ()
    """says `{"cpu": 12.5, "memory": 40}`, percents of what it may use"""
    known: tuple[str, ...] = ()
    """status 0 when that revision can be started, 1 when it can't; without it all can"""
    names: Mapping[str, str] = field(default_factory=dict)
    """what {service} and {environment} are"""
    within: float = 120.0
    """seconds for a start or a stop"""
    answer_within: float = 10.0
    """seconds for a question"""


class _Status(BaseModel):
    running: bool = True
    revision: str | None = Field(default=None, max_length=200)
    marker: str | None = Field(default=None, max_length=200)
    alive: bool = True
    restarts: int = Field(default=0, ge=0)
    started_at: AwareDatetime | None = None


class _Usage(BaseModel):
    cpu: float = Field(ge=0)
    memory: float = Field(ge=0)


class CommandDriver:
    """Runs releases by commands."""

    def __init__(self, releases: CommandReleases) -> None:
        self._releases = releases

    async def start(self, slot: Slot, revision: str, marker: str) -> Instance:
        """As the contract says."""
        if not await self.known(revision):
            raise ReleaseFailed("release_unknown", revision)
        found = await self.find(slot)
        if found is not None:
            if (found.revision, found.marker) == (revision, marker):
                return found
            await self._act(self._releases.stop, slot, "release_start")
        await asyncio.to_thread(self._forget, slot)
        await self._act(self._releases.start, slot, "release_start", revision, marker)
        try:
            await asyncio.to_thread(self._remember, slot, revision, marker)
        except OSError as error:
            raise ReleaseFailed("release_start", str(error)) from None
        found = await self.find(slot)
        if found is None:
            raise ReleaseFailed("release_start", f"{self._releases.status[0]}: not running after its start")
        return found

    async def find(self, slot: Slot) -> Instance | None:
        """As the contract says. Revision and marker are what `status` tells, else those last started."""
        command = self._words(self._releases.status, slot)
        ran = await ask(command, self._releases.answer_within, accepted=(0, NOT_RUNNING))
        if ran.status == NOT_RUNNING:
            return None
        try:
            status = _Status.model_validate_json(ran.out) if ran.out.strip() else _Status()
        except ValidationError as error:
            raise unreadable(command, error) from None
        if not status.running:
            return None
        started = await asyncio.to_thread(self._remembered, slot)
        return Instance(
            slot=slot,
            revision=started.get("revision", "") if status.revision is None else status.revision,
            marker=started.get("marker", "") if status.marker is None else status.marker,
            started_at=status.started_at,
            restarts=status.restarts,
            alive=status.alive,
        )

    async def stop(self, slot: Slot) -> bool:
        """As the contract says."""
        if await self.find(slot) is None:
            return False
        await self._act(self._releases.stop, slot, "release_stop")
        if await self.find(slot) is not None:
            raise ReleaseFailed("release_stop", f"{self._releases.stop[0]}: still running after its stop")
        await asyncio.to_thread(self._forget, slot)
        return True

    async def usage(self, slot: Slot) -> Usage | None:
        """As the contract says; None without such a command or when nothing runs."""
        if not self._releases.usage or await self.find(slot) is None:
            return None
        command = self._words(self._releases.usage, slot)
        ran = await ask(command, self._releases.answer_within)
        try:
            usage = _Usage.model_validate_json(ran.out)
        except ValidationError as error:
            raise unreadable(command, error) from None
        return Usage(usage.cpu, usage.memory)

    async def known(self, revision: str) -> bool:
        """Whether it is a name, and the command for that says so."""
        if not valid_revision(revision):
            return False
        if not self._releases.known:
            return True
        command = fill_all(self._releases.known, {**self._releases.names, "revision": revision})
        variables = {"GUARDIAN_REVISION": revision}
        ran = await ask(command, self._releases.answer_within, environment=variables, accepted=(0, 1))
        return ran.status == 0

    async def _act(
        self, command: tuple[str, ...], slot: Slot, reason: str, revision: str = "", marker: str = ""
    ) -> None:
        variables = {"GUARDIAN_SLOT": slot.value}
        if revision:
            variables |= {"GUARDIAN_REVISION": revision, "GUARDIAN_MARKER": marker}
        words = self._words(command, slot, revision, marker)
        await ask(words, self._releases.within, reason, environment=variables)

    def _words(
        self, command: tuple[str, ...], slot: Slot, revision: str = "", marker: str = ""
    ) -> tuple[str, ...]:
        address = self._releases.slots[slot]
        values = {**self._releases.names, "slot": slot.value}
        values |= {"host": address.host, "port": str(address.port)}
        return fill_all(command, {**values, "revision": revision, "marker": marker})

    def _file(self, slot: Slot) -> Path:
        return self._releases.state / f"{slot.value}.started.json"

    def _remembered(self, slot: Slot) -> dict[str, str]:
        try:
            found = json.loads(self._file(slot).read_text(encoding="utf-8"))
            return {name: str(found[name]) for name in ("revision", "marker")}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _remember(self, slot: Slot, revision: str, marker: str) -> None:
        self._releases.state.mkdir(parents=True, exist_ok=True)
        new = self._file(slot).with_suffix(".new")
        new.write_text(json.dumps({"revision": revision, "marker": marker}), encoding="utf-8")
        os.replace(new, self._file(slot))

    def _forget(self, slot: Slot) -> None:
        self._file(slot).unlink(missing_ok=True)
