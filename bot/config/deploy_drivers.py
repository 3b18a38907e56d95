"""How releases are run and how traffic is shared: `deploy.services.*.environments.*.releases`, `.traffic`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from bot.config.backup import AbsolutePath
from bot.config.deploy_values import (
    CutCommand,
    Endpoint,
    EnvironmentName,
    KnownCommand,
    MapName,
    ProxyName,
    ProxyPath,
    Reason,
    ReleaseCommand,
    ShiftCommand,
    SlotCommand,
    StartCommand,
    TrafficCommand,
    places,
)
from bot.config.values import Command, Duration, Port, Timeout, Variable, between
from bot.config.watching import Section

Plain = dict[EnvironmentName, Annotated[str, Field(max_length=4000)]]
"""Environment variables whose values stand in the file."""
Secret = dict[Variable, Variable]
"""Environment variables by the names of those of ours that hold their values."""
Going = Annotated[Duration, AfterValidator(between("0s", "5m"))]
Patience = Annotated[Duration, AfterValidator(between("1s", "10m"))]
_REVISED = AfterValidator(places("revision", needs="revision"))
_REVISED_FOR = AfterValidator(places("service", "environment", "revision", needs="revision"))
_SLOTTED = AfterValidator(places("service", "environment", "slot", needs="slot"))


class ProcessSettings(Section):
    """Processes of this machine, each with a small supervisor that outlives the Guardian."""

    driver: Literal["process"] = Field(description="process")
    directory: Annotated[AbsolutePath, _REVISED] = Field(
        description="Where a revision is: a directory for each, with {revision} in its name."
    )
    command: ReleaseCommand = Field(
        description="Program and arguments, started in that directory without a shell; {revision}, {slot}, "
        "{host}, {port} and {directory} stand for values."
    )
    environment: Plain = Field(default={}, description="Environment variables. No secrets here.")
    secrets: Secret = Field(
        default={},
        description="Environment variables that are secret, by the Guardian's own variables that hold them.",
    )
    stop_within: Going = Field(
        default=timedelta(seconds=10), description="How long it has to end by itself, 0s to 5m."
    )


class SystemdSettings(Section):
    """Units of systemd, one for each slot."""

    driver: Literal["systemd"] = Field(description="systemd")
    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9@:_.\\{}-]{1,200}$"), _SLOTTED] = Field(
        description="The unit's name, with {slot} in it."
    )
    environment_file: Annotated[AbsolutePath, _SLOTTED] = Field(
        description="The file that the unit reads (EnvironmentFile=), with {slot} in its name; the Guardian "
        "writes GUARDIAN_REVISION and more into it."
    )
    directory: Annotated[AbsolutePath, _REVISED_FOR] | None = Field(
        default=None,
        description="Where a revision is: a directory for each, with {revision} in its name. One without is "
        "refused. Default: any may be asked for.",
    )
    environment: Plain = Field(
        default={},
        description="What stands in that file besides, with {revision}, {slot}, {host}, {port} and "
        "{directory} filled in. No secrets here.",
    )
    systemctl: Command = Field(default=("systemctl",), description="How systemctl is called.")
    timeout: Patience = Field(
        default=timedelta(minutes=2), description="How long one call of it may take, 1s to 10m."
    )


class DockerSettings(Section):
    """Containers of Docker, one for each slot."""

    driver: Literal["docker"] = Field(description="docker")
    image: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@{}-]{0,250}$"), _REVISED] = Field(
        description="The image, with {revision} in it."
    )
    port: Port = Field(description="The port that it listens on, inside.")
    docker: Command = Field(default=("docker",), description="How Docker is called.")
    environment: Plain = Field(default={}, description="Environment variables. No secrets here.")
    secrets: Secret = Field(
        default={},
        description="Environment variables that are secret, by the Guardian's own variables that hold them.",
    )
    pull: bool = Field(
        default=False, description="Whether an image that is not here is fetched from its registry."
    )
    arguments: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...], Field(strict=False)
    ] = Field(default=(), max_length=100, description="Further arguments of `docker run`, before the image.")
    stop_within: Going = Field(
        default=timedelta(seconds=10), description="How long it has to end by itself, 0s to 5m."
    )
    timeout: Patience = Field(
        default=timedelta(minutes=2), description="How long one call of Docker may take, 1s to 10m."
    )


class ReleaseCommandSettings(Section):
    """Commands of your own."""

    driver: Literal["command"] = Field(description="command")
    start: StartCommand = Field(
        description="Lets {revision} run in {slot}, and ends; {marker} names the run. Again: nothing happens."
    )
    stop: SlotCommand = Field(description="Stops what runs in {slot}.")
    status: SlotCommand = Field(description="Says what runs in {slot}: JSON, or status 0 for anything.")
    known: KnownCommand | None = Field(
        default=None,
        description="Says by status 0 or 1 whether there is a {revision} to start. Default: any may be asked "
        "for.",
    )
    usage: SlotCommand | None = Field(
        default=None,
        description='Says what it takes: {"cpu": 12.5, "memory": 40} in percent.',
    )
    usage_left_out: Reason | None = Field(
        default=None,
        description="Instead of usage: why CPU and memory are not looked at. Shown with every plan.",
    )
    timeout: Patience = Field(
        default=timedelta(minutes=2), description="How long one command may take, 1s to 10m."
    )

    @model_validator(mode="after")
    def _says_what_it_takes(self) -> ReleaseCommandSettings:
        if (self.usage is None) == (self.usage_left_out is None):
            raise PydanticCustomError("deploy_usage", "usage or usage_left_out")
        return self


class BackendSettings(Section):
    """The load balancer's backend of each slot."""

    a: ProxyName = Field(description="Of slot a.")
    b: ProxyName = Field(description="Of slot b.")

    @model_validator(mode="after")
    def _differ(self) -> BackendSettings:
        if self.a == self.b:
            raise PydanticCustomError("deploy_same", "the same twice", {"text": self.a})
        return self


class HaproxySettings(Section):
    """HAProxy, as docs/haproxy.md tells."""

    driver: Literal["haproxy"] = Field(description="haproxy")
    socket: Endpoint = Field(
        description="Its runtime socket: a path, or host:port of this machine: 127.0.0.1:9999."
    )
    map: ProxyPath = Field(description="The map file that says how traffic is shared.")
    map_name: MapName | None = Field(
        default=None,
        description="The map's path as haproxy.cfg writes it, where HAProxy sees it under another: in a "
        "container. Default: as map.",
    )
    key: ProxyName = Field(description="The service's key in that file.")
    backends: BackendSettings = Field(description="The backend of each slot.")
    server: ProxyName = Field(default="app", description="The server in both backends.")
    log: Endpoint | None = Field(
        default=None,
        description="Where it sends its log to, for how long requests take: host:port of this machine, or a "
        "socket's path. "
        "Default: not measured.",
    )
    timeout: Annotated[Duration, AfterValidator(between("100ms", "1m"))] = Field(
        default=timedelta(seconds=3), description="How long one answer of it may take, 100ms to 1m."
    )


class TrafficCommandSettings(Section):
    """Commands of your own."""

    driver: Literal["command"] = Field(description="command")
    share: TrafficCommand = Field(description='Says the percentage that slot b carries: {"b": 25}.')
    shift: ShiftCommand = Field(description="Lets slot b carry {percent}. Again: nothing happens.")
    metrics: TrafficCommand = Field(description="Says what both slots have carried, as JSON.")
    cut: CutCommand | None = Field(
        default=None,
        description='Cuts off what is under way in {slot}, and says how many: {"cut": 3}. Default: '
        "nothing is ever cut off.",
    )
    environment: Plain = Field(
        default={}, description="Environment variables for these commands. No secrets here: leases hold them."
    )
    timeout: Timeout = Field(
        default=timedelta(seconds=10), description="How long one command may take, 100ms to 5m."
    )


def _driver(value: object) -> str | None:
    """Which of the sections it is, in brackets, which `bot.config.refusals` takes out of places."""
    name = value.get("driver") if isinstance(value, dict) else getattr(value, "driver", None)
    return f"[{name}]" if isinstance(name, str) else None


def _one_of(*names: str) -> Discriminator:
    return Discriminator(
        _driver,
        custom_error_type="deploy_driver",
        custom_error_message="no such driver",
        custom_error_context={"known": ", ".join(names)},
    )


ReleasesSettings: TypeAlias = Annotated[
    Annotated[ProcessSettings, Tag("[process]")]
    | Annotated[SystemdSettings, Tag("[systemd]")]
    | Annotated[DockerSettings, Tag("[docker]")]
    | Annotated[ReleaseCommandSettings, Tag("[command]")],
    _one_of("process", "systemd", "docker", "command"),
]
TrafficSettings: TypeAlias = Annotated[
    Annotated[HaproxySettings, Tag("[haproxy]")] | Annotated[TrafficCommandSettings, Tag("[command]")],
    _one_of("haproxy", "command"),
]
