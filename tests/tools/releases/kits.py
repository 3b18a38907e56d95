"""What the contract suite needs of each driver: the driver, and how to make a revision that it knows."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from pydantic import JsonValue, SecretStr

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.tools.releases.command import CommandDriver, CommandReleases
from bot.tools.releases.contract import Releases
from bot.tools.releases.docker import DockerDriver, DockerReleases
from bot.tools.releases.process import ProcessDriver, ProcessReleases
from bot.tools.releases.systemd import SystemdDriver, SystemdReleases
from tests.ports import free_port
from tests.waiting import CEILING

SERVICE = str(Path(__file__).with_name("service.py"))


@dataclass
class Kit:
    """Releases of a service in a folder of their own. `again` makes another driver of the same ones, as a
    Guardian that was started anew does."""

    folder: Path
    slots: dict[Slot, Address]
    again: Callable[[], Releases]

    def __post_init__(self) -> None:
        self.driver = self.again()

    def put(self, revision: str, **behaviour: JsonValue) -> None:
        """Have a revision that the driver knows."""
        put(self.folder, revision, **behaviour)

    async def ask(self, slot: Slot, path: str = "/who") -> dict[str, JsonValue]:
        """What the release in a slot says, once it listens."""
        said: dict[str, JsonValue] = json.loads(await ask(self.slots[slot], path))
        return said

    async def ask_nothing(self, slot: Slot, path: str) -> None:
        """Let it do what it does at that path."""
        await ask(self.slots[slot], path)


def put(folder: Path, revision: str, **behaviour: JsonValue) -> None:
    """Lay a release down."""
    release = folder / "releases" / revision
    release.mkdir(parents=True, exist_ok=True)
    (release / "behaviour.json").write_text(json.dumps(behaviour))


async def ask(address: Address, path: str) -> str:
    """What it says there, once it listens."""
    async with asyncio.timeout(CEILING), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(address.url(path)) as answer:
                    return await answer.text()
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.02)


def addresses() -> dict[Slot, Address]:
    """Two that are free."""
    return {slot: Address("127.0.0.1", free_port()) for slot in Slot}


def process_releases(folder: Path, slots: dict[Slot, Address], stop_within: float = 20.0) -> ProcessReleases:
    """As a configuration would describe them."""
    return ProcessReleases(
        command=(
            sys.executable,
            SERVICE,
            "{host}",
            "{port}",
            "--revision={revision}",
            "{directory}",
            "{json}",
        ),
        directory=f"{folder}/releases/{{revision}}",
        slots=slots,
        state=folder / "state",
        logs=folder / "logs",
        environment={"RELEASES": f"{folder}/releases", "GREETING": "slot {slot} at {port}"},
        stop_within=stop_within,
        backoff=(0.05, 0.2, 60.0),
    )


def process(folder: Path) -> Kit:
    slots = addresses()
    return Kit(folder, slots, lambda: ProcessDriver(process_releases(folder, slots)))


def systemd_releases(folder: Path, slots: dict[Slot, Address]) -> SystemdReleases:
    """As a configuration would describe them."""
    return SystemdReleases(
        unit="{service}@{slot}.service",
        names={"service": "shop", "environment": "production"},
        environment_file=f"{folder}/{{slot}}.env",
        slots=slots,
        directory=f"{folder}/releases/{{revision}}",
        environment={"RELEASES": f"{folder}/releases", "GREETING": 'a "$lot" `{slot}` \\\\ at {port}'},
        systemctl=double("systemctl", folder),
    )


def systemd(folder: Path) -> Kit:
    unit = {
        "name": "shop@%i.service",
        "ExecStart": [sys.executable, SERVICE],
        "EnvironmentFile": f"{folder}/%i.env",
    }
    (folder / "unit.json").write_text(json.dumps(unit))
    slots = addresses()
    return Kit(folder, slots, lambda: SystemdDriver(systemd_releases(folder, slots)))


def docker_releases(folder: Path, slots: dict[Slot, Address]) -> DockerReleases:
    """As a configuration would describe them."""
    return DockerReleases(
        service="shop",
        environment_name="production",
        image="shop:{revision}",
        port=8080,
        slots=slots,
        docker=double("docker", folder),
        environment={"RELEASES": f"{folder}/releases"},
        secrets={"DB_PASSWORD": SecretStr("hunter2")},
        arguments=("--network", "slot-{slot}"),
    )


def docker(folder: Path) -> Kit:
    slots = addresses()
    return Kit(folder, slots, lambda: DockerDriver(docker_releases(folder, slots)))


def command_releases(folder: Path, slots: dict[Slot, Address]) -> CommandReleases:
    """As a configuration would describe them."""
    shopctl = double("shopctl", folder)
    return CommandReleases(
        start=(*shopctl, "start", "{slot}", "{revision}", "--marker", "{marker}", "{host}:{port}"),
        stop=(*shopctl, "stop", "{slot}"),
        names={"service": "shop", "environment": "production"},
        status=(*shopctl, "status", "{slot}"),
        usage=(*shopctl, "usage", "{slot}"),
        known=(*shopctl, "known", "{revision}"),
        slots=slots,
        state=folder / "state",
    )


def command(folder: Path) -> Kit:
    slots = addresses()
    return Kit(folder, slots, lambda: CommandDriver(command_releases(folder, slots)))


def double(name: str, folder: Path) -> tuple[str, ...]:
    """A real program in the place of another."""
    return (sys.executable, str(Path(__file__).with_name("doubles") / f"{name}.py"), str(folder))


KITS: dict[str, Callable[[Path], Kit]] = {
    "process": process,
    "systemd": systemd,
    "docker": docker,
    "command": command,
}
