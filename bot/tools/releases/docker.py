"""Releases as containers of Docker, which supervises them (`--restart unless-stopped`). Each container has a
name and labels of ours; only such are stopped and removed, each by its id, and nothing is ever pruned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationError

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.measures import Usage
from bot.domain.deploy.revisions import valid_revision
from bot.domain.deploy.slots import Slot
from bot.tools.releases.asking import ask, unreadable
from bot.tools.releases.contract import Instance, ReleaseFailed
from bot.tools.releases.templates import fill

REVISION, MARKER, SLOT = "guardian.revision", "guardian.marker", "guardian.slot"
"""labels"""
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""what a tag of an image can be"""


@dataclass(frozen=True, slots=True)
class DockerReleases:
    """How containers are run. {revision} can stand in `image`; {revision}, {slot}, {host} and {port} can in
    values of the environment and in the arguments."""

    service: str
    environment_name: str
    image: str
    """`shop:{revision}`"""
    port: int
    """that a release listens on in its container; it is published at the slot's address"""
    slots: Mapping[Slot, Address]
    docker: tuple[str, ...] = ("docker",)
    environment: Mapping[str, str] = field(default_factory=dict)
    """what a release gets besides GUARDIAN_REVISION, GUARDIAN_SLOT and GUARDIAN_MARKER"""
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    """what a release gets besides and nobody else may see: in no command line"""
    arguments: tuple[str, ...] = ()
    """more options of `docker run`"""
    pull: bool = False
    """whether an image that isn't here may be fetched from its registry"""
    stop_within: float = 10.0
    """seconds from asking a release to end to making it"""
    within: float = 120.0
    """seconds for a start, with a download if it may"""
    answer_within: float = 15.0
    """seconds for a question"""


class _State(BaseModel):
    status: str = Field(alias="Status")
    started_at: datetime = Field(alias="StartedAt")


class _Config(BaseModel):
    labels: dict[str, str] | None = Field(alias="Labels", default=None)


class _HostConfig(BaseModel):
    nano_cpus: int = Field(alias="NanoCpus", default=0)


class _Container(BaseModel):
    """What `docker container inspect` says of one."""

    id: str = Field(alias="Id", pattern=r"^[0-9a-f]{12,64}$")
    name: str = Field(alias="Name")
    restarts: int = Field(alias="RestartCount", default=0)
    state: _State = Field(alias="State")
    config: _Config = Field(alias="Config")
    host: _HostConfig = Field(alias="HostConfig", default_factory=_HostConfig)

    @property
    def there(self) -> bool:
        """Whether it runs, or will again of its own accord."""
        return self.state.status in ("running", "restarting", "paused")

    def label(self, name: str) -> str:
        """One of ours; empty when it has none such."""
        return (self.config.labels or {}).get(name, "")


class _Stats(BaseModel):
    """What `docker stats` says of one: percents."""

    cpu: str = Field(alias="CPUPerc", pattern=r"^\d+(\.\d+)?%$")
    memory: str = Field(alias="MemPerc", pattern=r"^\d+(\.\d+)?%$")


_CONTAINERS = TypeAdapter(list[_Container])


class DockerDriver:
    """Runs releases as containers."""

    def __init__(self, releases: DockerReleases) -> None:
        self._releases = releases
        self._cores: float | None = None

    async def start(self, slot: Slot, revision: str, marker: str) -> Instance:
        """As the contract says. A container of that name that isn't ours is left alone: release_start."""
        if not await self.known(revision):
            raise ReleaseFailed("release_unknown", revision)
        container = await self._look(slot)
        if container is not None:
            same = (container.label(REVISION), container.label(MARKER)) == (revision, marker)
            if same and container.there:
                return _instance(slot, container)
            await self._remove(slot, container, "release_start")
        try:
            await ask(
                self._run(slot, revision, marker), self._releases.within, "release_start", self._secrets()
            )
        except ReleaseFailed:
            await self._tidy(slot, revision, marker)
            raise
        container = await self._look(slot)
        if container is None:
            raise ReleaseFailed("release_start", f"{self._name(slot)}: gone at once")
        return _instance(slot, container)

    async def find(self, slot: Slot) -> Instance | None:
        """As the contract says. A container that was stopped and not removed runs not."""
        container = await self._look(slot)
        return None if container is None or not container.there else _instance(slot, container)

    async def stop(self, slot: Slot) -> bool:
        """As the contract says; the container is removed as well."""
        container = await self._look(slot)
        if container is None:
            return False
        await self._remove(slot, container, "release_stop")
        return True

    async def usage(self, slot: Slot) -> Usage | None:
        """As the contract says, of the last second or so: what `docker stats` tells."""
        container = await self._look(slot)
        if container is None or container.state.status != "running":
            return None
        command = (*self._releases.docker, "stats", "--no-stream", "--format", "{{json .}}", container.id)
        ran = await ask(command, self._releases.answer_within)
        try:
            stats = _Stats.model_validate_json(ran.out.strip().splitlines()[0] if ran.out.strip() else "{}")
        except ValidationError as error:
            raise unreadable(command, error) from None
        cores = container.host.nano_cpus / 1e9 or await self._machine()
        return Usage(
            cpu=min(100.0, float(stats.cpu.rstrip("%")) / cores), memory=float(stats.memory.rstrip("%"))
        )

    async def known(self, revision: str) -> bool:
        """Whether its image is here, or may be fetched and is in its registry."""
        if not valid_revision(revision) or _TAG.fullmatch(revision) is None:
            return False
        docker, image = self._releases.docker, fill(self._releases.image, {"revision": revision})
        # A listing, because `inspect` fails alike when there is no image and when there is no daemon.
        listing = (*docker, "image", "ls", "--quiet", "--no-trunc", "--filter", f"reference={image}")
        if (await ask(listing, self._releases.answer_within)).out.strip():
            return True
        if not self._releases.pull:
            return False
        command = (*docker, "manifest", "inspect", image)
        return (await ask(command, self._releases.answer_within, accepted=(0, 1))).status == 0

    def _name(self, slot: Slot) -> str:
        return f"guardian-{self._releases.service}-{self._releases.environment_name}-{slot.value}"

    def _run(self, slot: Slot, revision: str, marker: str) -> tuple[str, ...]:
        releases, address = self._releases, self._releases.slots[slot]
        values = {"revision": revision, "slot": slot.value, "host": address.host, "port": str(address.port)}
        variables = {
            "GUARDIAN_REVISION": revision,
            "GUARDIAN_SLOT": slot.value,
            "GUARDIAN_MARKER": marker,
            **{name: fill(value, values) for name, value in releases.environment.items()},
        }
        labels = {REVISION: revision, MARKER: marker, SLOT: slot.value}
        words = [
            *releases.docker,
            "run",
            "--detach",
            "--name",
            self._name(slot),
            "--restart",
            "unless-stopped",
        ]
        words += ["--pull", "missing" if releases.pull else "never"]
        words += ["--publish", f"{address}:{releases.port}"]
        for name, value in labels.items():
            words += ["--label", f"{name}={value}"]
        for name, value in variables.items():
            words += ["--env", f"{name}={value}"]
        for name in self._secrets():
            words += ["--env", name]  # the value is in the environment of the command
        return (*words, *(fill(word, values) for word in releases.arguments), fill(releases.image, values))

    def _secrets(self) -> dict[str, str]:
        return {name: value.get_secret_value() for name, value in self._releases.secrets.items()}

    async def _look(self, slot: Slot) -> _Container | None:
        """The container of that name, in whatever state."""
        docker, name = self._releases.docker, self._name(slot)
        listing = (
            *docker,
            "container",
            "ls",
            "--all",
            "--quiet",
            "--no-trunc",
            "--filter",
            f"name=^/{name}$",
        )
        ids = (await ask(listing, self._releases.answer_within)).out.split()
        if not ids:
            return None
        command = (*docker, "container", "inspect", *ids)
        ran = await ask(command, self._releases.answer_within)
        try:
            found = _CONTAINERS.validate_json(ran.out)
        except ValidationError as error:
            raise unreadable(command, error) from None
        return next((each for each in found if each.name == f"/{name}"), None)

    async def _remove(self, slot: Slot, container: _Container, reason: str) -> None:
        if container.label(SLOT) != slot.value:
            raise ReleaseFailed(reason, f"{self._name(slot)}: not started by the Guardian")
        docker, patience = self._releases.docker, self._releases.stop_within
        await ask(
            (*docker, "stop", "-t", str(round(patience)), container.id),
            patience + self._releases.answer_within,
            reason,
        )
        await ask((*docker, "rm", container.id), self._releases.answer_within, reason)

    async def _tidy(self, slot: Slot, revision: str, marker: str) -> None:
        """Remove what a `docker run` that failed has created and not started."""
        container = await self._look(slot)
        if container is not None and container.state.status == "created":
            if (container.label(REVISION), container.label(MARKER)) == (revision, marker):
                await self._remove(slot, container, "release_start")

    async def _machine(self) -> float:
        """The cores of the machine that Docker runs on."""
        if self._cores is None:
            command = (*self._releases.docker, "info", "--format", "{{.NCPU}}")
            said = (await ask(command, self._releases.answer_within)).out.strip()
            if not said.isdecimal() or int(said) == 0:
                raise ReleaseFailed("release_tool", f"{command[0]}: NCPU: {said[:100]}")
            self._cores = float(said)
        return self._cores


def _instance(slot: Slot, container: _Container) -> Instance:
    return Instance(
        slot=slot,
        revision=container.label(REVISION),
        marker=container.label(MARKER),
        started_at=container.state.started_at,
        restarts=container.restarts,
        alive=container.state.status == "running",
    )
