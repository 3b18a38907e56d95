"""From settings to working parts: what both `guardian run` and `guardian probe` put together."""

from __future__ import annotations

import resource
import ssl
from collections.abc import Callable, Mapping
from fnmatch import fnmatch

import aiohttp
import structlog

from bot.config import Settings, read_secret
from bot.config.watching import DiskSettings, HttpTarget, ProbeSettings
from probes.application.http import allow_open_files
from probes.application.response_time import ResponseTime
from probes.base import Probe
from probes.infrastructure.cpu import Cpu
from probes.infrastructure.disk import Disk
from probes.infrastructure.load import Load
from probes.infrastructure.memory import Memory
from probes.infrastructure.mounts import Mount, all_mounts
from probes.infrastructure.network import Network
from probes.infrastructure.processes import Processes

log = structlog.get_logger(__name__)

_OTHER_FILES = 200
"""Room for what is open beside the connections to targets: database, Slack, health port, disk, log."""


def build_probes(
    settings: Settings,
    session: Callable[[], aiohttp.ClientSession],
    environment: Mapping[str, str],
    *,
    with_disabled: bool = False,
) -> list[Probe]:
    """The probes that the settings ask for, the machine's own first.

    `session` gives the one HTTP client (`probes.application.http.http_session`) and is called only when there
    are web addresses to check. `environment` has the values of secret headers; `bot.config.load` has seen
    that they are there. `with_disabled` makes those of the machine that are switched off as well.
    """
    probes, host = settings.probes, settings.name

    def wanted(section: ProbeSettings) -> bool:
        return section.enabled or with_disabled

    built: list[Probe] = []
    if wanted(probes.cpu):
        built.append(Cpu(host=host, interval=probes.cpu.interval, timeout=probes.cpu.patience))
    if wanted(probes.memory):
        built.append(Memory(host=host, interval=probes.memory.interval, timeout=probes.memory.patience))
    if wanted(probes.disk):
        built.append(_disk(host, probes.disk))
    if wanted(probes.network):
        built.append(
            Network(
                host=host,
                interfaces=probes.network.interfaces,
                interval=probes.network.interval,
                timeout=probes.network.patience,
            )
        )
    if wanted(probes.load):
        built.append(Load(host=host, interval=probes.load.interval, timeout=probes.load.patience))
    if wanted(probes.processes):
        built.append(
            Processes(host=host, interval=probes.processes.interval, timeout=probes.processes.patience)
        )
    if probes.http.targets:
        _allow_connections(len(probes.http.targets))
        client = session()
        built += [_response_time(settings, target, client, environment) for target in probes.http.targets]
    return built


def _allow_connections(targets: int) -> None:
    """Make room for a connection to each target; a warning when the system does not let us."""
    wanted = targets + _OTHER_FILES
    allowed = allow_open_files(wanted)
    if allowed < wanted and allowed != resource.RLIM_INFINITY:
        log.warning(
            "too_few_open_files", wanted=wanted, allowed=allowed, advice="raise ulimit -n, LimitNOFILE"
        )


def _disk(host: str, section: DiskSettings) -> Disk:
    def mounted() -> list[Mount]:
        return [mount for mount in all_mounts() if not _is_excluded(mount, section)]

    return Disk(
        host=host,
        paths=section.paths,
        interval=section.interval,
        timeout=section.patience,
        mounted=mounted if section.exclude or section.exclude_types else all_mounts,
    )


def _is_excluded(mount: Mount, section: DiskSettings) -> bool:
    by_type = mount.type in section.exclude_types
    return by_type or any(fnmatch(mount.path, pattern) for pattern in section.exclude)


def _response_time(
    settings: Settings, target: HttpTarget, client: aiohttp.ClientSession, environment: Mapping[str, str]
) -> ResponseTime:
    common = settings.probes.http
    interval = common.interval if target.interval is None else target.interval
    chosen = common.patience if target.timeout is None else target.timeout
    secrets: dict[str, str] = {}
    for header, variable in target.secret_headers.items():
        secret = read_secret(environment, variable)
        if secret is not None:
            secrets[header] = secret.get_secret_value()
    return ResponseTime(
        session=client,
        url=target.url,
        target=target.name,
        method=target.method,
        headers=target.headers or None,
        secret_headers=secrets or None,
        statuses=target.expect_status,
        contains=target.expect_body,
        tls=None if target.verify_tls else _unverified(),
        interval=interval,
        timeout=min(chosen, interval),
    )


def _unverified() -> ssl.SSLContext:
    """TLS without looking at the certificate, for `verify_tls: false`."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
