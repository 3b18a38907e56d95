"""From settings to sites: the drivers of releases and of traffic of each service in each environment.

Imported with the first deployment: what it needs costs memory for as long as the Guardian runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from bot.config.deploy import DeploySettings
from bot.config.deploy_drivers import (
    DockerSettings,
    HaproxySettings,
    ProcessSettings,
    ReleasesSettings,
    SystemdSettings,
    TrafficSettings,
)
from bot.config.deploy_secrets import Found
from bot.domain.deploy.addresses import Address
from bot.domain.deploy.service import Environment, Service
from bot.domain.deploy.slots import Slot
from bot.engine.deploy.site import Site
from bot.tools.releases.contract import Releases
from bot.tools.releases.templates import fill_all
from bot.tools.traffic.command.configuration import CommandConfiguration
from bot.tools.traffic.drivers import TrafficConfiguration, driver_of
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.tools.traffic.haproxy.log_stream import LogStreams

FOLDER = "deploy"
"""in the state directory: what drivers remember, and the leases"""


def site_of(
    settings: DeploySettings,
    state: Path,
    secrets: Found,
    service: Service,
    environment: Environment,
    logs: LogStreams | None = None,
) -> Site:
    """The site of a service in an environment; `secrets` and `logs` are those of all."""
    section = settings.services[service.name].environments[environment.name]
    configuration = _traffic(section.traffic, service.name, environment.name)
    log = None
    if isinstance(configuration, HaproxyConfiguration) and configuration.log is not None:
        log = (logs or LogStreams()).of(configuration.log, configuration.backends.values())
    return Site(
        service=service,
        environment=environment,
        releases=_releases(
            section.releases,
            state / FOLDER,
            service.name,
            environment,
            secrets.get((service.name, environment.name), {}),
        ),
        traffic=driver_of(configuration, log),
        configuration=configuration,
        log=log,
    )


def _releases(
    section: ReleasesSettings,
    folder: Path,
    service: str,
    environment: Environment,
    secrets: Mapping[str, SecretStr],
) -> Releases:
    slots = {slot: Address.of(text) for slot, text in environment.addresses.items()}
    own = folder / "releases" / service / environment.name
    names = {"service": service, "environment": environment.name}
    if isinstance(section, ProcessSettings):
        from bot.tools.releases.process import ProcessDriver, ProcessReleases

        return ProcessDriver(
            ProcessReleases(
                command=section.command,
                directory=section.directory,
                slots=slots,
                state=own,
                logs=own / "logs",
                environment=section.environment,
                secrets=secrets,
                stop_within=section.stop_within.total_seconds(),
            )
        )
    if isinstance(section, SystemdSettings):
        from bot.tools.releases.systemd import SystemdDriver, SystemdReleases

        return SystemdDriver(
            SystemdReleases(
                unit=section.unit,
                environment_file=section.environment_file,
                slots=slots,
                directory=section.directory or "",
                environment=section.environment,
                names=names,
                systemctl=section.systemctl,
                within=section.timeout.total_seconds(),
            )
        )
    if isinstance(section, DockerSettings):
        from bot.tools.releases.docker import DockerDriver, DockerReleases

        return DockerDriver(
            DockerReleases(
                service=service,
                environment_name=environment.name,
                image=section.image,
                port=section.port,
                slots=slots,
                docker=section.docker,
                environment=section.environment,
                secrets=secrets,
                pull=section.pull,
                arguments=section.arguments,
                stop_within=section.stop_within.total_seconds(),
                within=section.timeout.total_seconds(),
            )
        )
    from bot.tools.releases.command import CommandDriver, CommandReleases

    return CommandDriver(
        CommandReleases(
            start=section.start,
            stop=section.stop,
            status=section.status,
            usage=section.usage or (),
            known=section.known or (),
            slots=slots,
            state=own,
            names=names,
            within=section.timeout.total_seconds(),
        )
    )


def _traffic(section: TrafficSettings, service: str, environment: str) -> TrafficConfiguration:
    if isinstance(section, HaproxySettings):
        return HaproxyConfiguration(
            socket=section.socket,
            map_file=section.map,
            key=section.key,
            backends={Slot.A: section.backends.a, Slot.B: section.backends.b},
            server=section.server,
            log=section.log,
            timeout=section.timeout.total_seconds(),
            map_name=section.map_name or "",
        )
    names = {"service": service, "environment": environment}
    return CommandConfiguration(
        share=fill_all(section.share, names),
        shift=fill_all(section.shift, names),
        metrics=fill_all(section.metrics, names),
        cut=None if section.cut is None else fill_all(section.cut, names),
        timeout=section.timeout.total_seconds(),
        environment=section.environment,
    )
