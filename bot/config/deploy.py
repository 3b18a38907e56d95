"""The part of the configuration for deployments: `deploy`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import time, timedelta
from types import MappingProxyType
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.config.backup import AbsolutePath, Paths
from bot.config.calling import HoursOfDay, Weekday
from bot.config.deploy_checks import PreflightSettings, VerificationSettings
from bot.config.deploy_drivers import (
    HaproxySettings,
    ReleaseCommandSettings,
    ReleasesSettings,
    SystemdSettings,
    TrafficSettings,
)
from bot.config.deploy_values import Address, Reason, UrlPath
from bot.config.elsewhere import PlainName
from bot.config.values import Duration, Statuses, Timeout, Timezone, between
from bot.config.watching import Section
from bot.domain.deploy.risk import RiskRules
from bot.domain.deploy.service import Environment, HealthRules, Limits, ProbeRules, Service
from bot.domain.deploy.slots import Slot
from bot.domain.oncall.model import Hours
from bot.tools.releases.templates import fill

PRODUCTION = "production"
_WORKING_HOURS = Hours(time(9), time(18))
Percent = Annotated[float, Field(gt=0, le=100, strict=False)]
Many = Annotated[int, Field(ge=1, le=10_000_000)]


class SlotSettings(Section):
    """The address of each slot. The load balancer's configuration names the same."""

    a: Address = Field(description="host:port of slot a.")
    b: Address = Field(description="host:port of slot b.")

    @model_validator(mode="after")
    def _differ(self) -> SlotSettings:
        if self.a == self.b:
            raise PydanticCustomError("deploy_same", "the same twice", {"text": self.a})
        return self


class HealthSettings(Section):
    """When a release that was started counts as healthy."""

    path: UrlPath = Field(default="/health", description="The path that is asked for.")
    status: Statuses = Field(default=(200, 200), description="Status codes that are right: 204, 200-299.")
    contains: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="What the answer must have: an error page may come with 200."
    )
    timeout: Timeout = Field(default=timedelta(seconds=2), description="Of one request, 100ms to 5m.")
    within: Annotated[Duration, AfterValidator(between("1s", "1h"))] = Field(
        default=timedelta(seconds=60), description="How long after its start, 1s to 1h."
    )
    in_a_row: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="How many good answers in a row."
    )
    every: Annotated[Duration, AfterValidator(between("50ms", "1m"))] = Field(
        default=timedelta(milliseconds=500),
        description="From one question to the next, 50ms to 1m; at most a tenth of `within`.",
    )


class ThresholdSettings(Section):
    """The document's thresholds of a stage."""

    error_rate: Annotated[float, Field(gt=0, lt=100, strict=False)] = Field(
        default=0.1, description="Percent of requests that fail: less."
    )
    response_ms: Annotated[float, Field(ge=1, le=600_000, strict=False)] = Field(
        default=500.0, description="Milliseconds that 95 % of the requests take: less."
    )
    cpu: Percent = Field(default=70.0, description="Percent of the processor: less.")
    memory: Percent = Field(default=80.0, description="Percent of the memory: less.")


class ProbingSettings(Section):
    """Requests of the Guardian's own at Green, for when there is too little traffic to judge by."""

    paths: Annotated[tuple[UrlPath, ...], Field(strict=False, max_length=100)] = Field(
        default=("/",), min_length=1, description="Paths that may be asked for at any time."
    )
    per_second: Annotated[float, Field(ge=0.1, le=5000, strict=False)] = Field(
        default=50.0, description="At most so many a second."
    )
    probe_early: bool = Field(
        default=True,
        description="From a stage's extension on; false: only after it, when it told too little.",
    )


class EnvironmentSettings(Section):
    """Where a service runs, and how it is deployed there."""

    slots: SlotSettings = Field(description="The two places that it lives in.")
    releases: ReleasesSettings = Field(description="How its releases are run.")
    traffic: TrafficSettings = Field(description="How its traffic is shared.")
    health: HealthSettings = Field(default=HealthSettings(), description="When a release is healthy.")
    stages: Annotated[tuple[Annotated[int, Field(ge=1, le=100)], ...], Field(strict=False)] = Field(
        default=(10, 25, 50, 75, 100), max_length=20, description="Percent of traffic, rising, 100 last."
    )
    dwell: Annotated[Duration, AfterValidator(between("1s", "1d"))] = Field(
        default=timedelta(minutes=5), description="How long each stage is watched at least, 1s to 1d."
    )
    warm: Annotated[Duration, AfterValidator(between("0s", "7d"))] = Field(
        default=timedelta(minutes=30),
        description="How long Blue is kept running beside a release that carries everything, 0s to 7d.",
    )
    thresholds: ThresholdSettings = Field(
        default=ThresholdSettings(), description="Beyond them it goes back."
    )
    probes: ProbingSettings = Field(default=ProbingSettings(), description="Requests of our own.")
    ask_for: Annotated[Duration, AfterValidator(between("1m", "1d"))] = Field(
        default=timedelta(minutes=30),
        description="How long a person is waited for, where nothing can be judged; then it goes back.",
    )
    lease: Annotated[Duration, AfterValidator(between("5s", "5m"))] = Field(
        default=timedelta(seconds=30),
        description="How long the Guardian may be silent before the watchdog takes a canary back, 5s to 5m.",
    )
    drain: Annotated[Duration, AfterValidator(between("0s", "10s"))] = Field(
        default=timedelta(seconds=10),
        description="How long requests under way have to end when it goes back, 0s to 10s. Then they are "
        "cut.",
    )
    lock_after_rollback: Annotated[Duration, AfterValidator(between("0s", "7d"))] = Field(
        default=timedelta(hours=1), description="How long nothing is deployed after it went back, 0s to 7d."
    )
    keep: Annotated[int, Field(ge=1, le=100)] = Field(
        default=5, description="How many releases can be gone back to."
    )
    second_person: bool | None = Field(
        default=None,
        description="Whether somebody else than who asked has to approve. Default: in `production`.",
    )
    data: Paths = Field(
        default=(), description="What must have a verified backup before anything runs (backup.sources)."
    )
    no_data: Reason | None = Field(
        default=None, description="Instead of data: why there is none. Shown with every plan."
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> EnvironmentSettings:
        rising = all(low < high for low, high in zip(self.stages, self.stages[1:], strict=False))
        if not rising or self.stages[-1:] != (100,):
            text = ", ".join(str(stage) for stage in self.stages)
            raise PydanticCustomError("deploy_stages", "no stages", {"text": text})
        if self.health.timeout >= self.lease:
            # One slow answer would keep us from renewing it, and a good release would be taken back.
            raise PydanticCustomError("deploy_lease", "no longer than the lease")
        if bool(self.data) == (self.no_data is not None):
            raise PydanticCustomError("deploy_data", "data or no_data")
        return self

    def environment(self, name: str) -> Environment:
        """The environment of that name as a value."""
        health, limits = self.health, self.thresholds
        return Environment(
            name=name,
            addresses=MappingProxyType({Slot.A: self.slots.a, Slot.B: self.slots.b}),
            health=HealthRules(
                health.path,
                health.status,
                health.contains,
                health.timeout,
                health.within,
                health.in_a_row,
                health.every,
            ),
            stages=self.stages,
            dwell=self.dwell,
            warm=self.warm,
            limits=Limits(limits.error_rate, limits.response_ms, limits.cpu, limits.memory),
            probes=ProbeRules(self.probes.paths, self.probes.per_second, self.probes.probe_early),
            ask_for=self.ask_for,
            lease=self.lease,
            drain=self.drain,
            lock_after_rollback=self.lock_after_rollback,
            keep=self.keep,
            second_person=name == PRODUCTION if self.second_person is None else self.second_person,
            data=self.data,
            no_data=self.no_data or "",
            no_usage=_no_usage(self.releases),
        )


def _no_usage(releases: ReleasesSettings) -> str:
    """Why CPU and memory are not looked at; empty where they are, which all other drivers can."""
    return releases.usage_left_out or "" if isinstance(releases, ReleaseCommandSettings) else ""


class ServiceSettings(Section):
    """Something that is deployed."""

    repository: AbsolutePath | None = Field(
        default=None,
        description="Its local Git repository, for release notes and lead times, and for the checks, which "
        "look at the revision's commit and not at what it has checked out. Default: none.",
    )
    preflight: PreflightSettings = Field(description="What is checked before anything acts.")
    verification: VerificationSettings = Field(description="What is tested against Green alone.")
    environments: dict[PlainName, EnvironmentSettings] = Field(
        min_length=1, max_length=50, description="Where it runs, by name."
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> ServiceSettings:
        if self.repository is None:
            for check in self.preflight.rules.values():
                if "{directory}" in " ".join(getattr(check, "command", ())):
                    raise PydanticCustomError("deploy_no_directory", "no directory")
        _must_be_apart((name, _slots_of(each)) for name, each in self.environments.items())
        return self

    def service(self, name: str) -> Service:
        """The service of that name as a value."""
        return Service(
            name=name,
            repository=self.repository,
            preflight=self.preflight.rules,
            verification=self.verification.rules,
            environments=MappingProxyType(
                {each: settings.environment(each) for each, settings in self.environments.items()}
            ),
        )


class RiskSettings(Section):
    """What makes a plan a risky one, as its card says. Nothing is refused for it."""

    days: Annotated[tuple[Weekday, ...], Field(strict=False)] = Field(
        default=(0, 1, 2, 3, 4), min_length=1, description="Working days."
    )
    hours: HoursOfDay | None = Field(default=None, description="Working hours. Default: 09:00-18:00.")
    friday_until: Annotated[int, Field(ge=0, le=24)] = Field(
        default=15, description="From this hour on, Friday is late."
    )
    timezone: Timezone | None = Field(default=None, description="Default: `timezone` of the whole.")
    availability: Annotated[float, Field(ge=50, lt=100, strict=False)] = Field(
        default=99.9, description="The availability that is aimed at over 30 days, percent."
    )
    files: Many = Field(default=50, description="More changed files than this are many.")
    lines: Many = Field(default=1000, description="More changed lines than this are many.")
    commits: Many = Field(default=50, description="More commits than this are many.")

    def rules(self, zone: ZoneInfo) -> RiskRules:
        """The rules as a value; `zone` is of the whole."""
        return RiskRules(
            days=frozenset(self.days),
            hours=self.hours or _WORKING_HOURS,
            friday_until=self.friday_until,
            zone=zone if self.timezone is None else ZoneInfo(self.timezone),
            availability=self.availability,
            files=self.files,
            lines=self.lines,
            commits=self.commits,
        )


class DeploySettings(Section):
    """Deployments without an interruption: what is deployed, where and how."""

    services: dict[PlainName, ServiceSettings] = Field(
        default={}, max_length=200, description="What is deployed, by name. Default: none."
    )
    risk: RiskSettings = Field(default_factory=RiskSettings, description="What makes a plan a risky one.")

    @model_validator(mode="after")
    def _are_apart(self) -> DeploySettings:
        """What two places share would let one move the other's traffic, or start its releases there."""
        _must_be_apart(
            ((service, name), _own(service, name, environment))
            for service, settings in self.services.items()
            for name, environment in settings.environments.items()
        )
        return self


def _must_be_apart(places: Iterable[tuple[object, Iterable[tuple[object, ...]]]]) -> None:
    """Refuse what stands in two places, each given with all that has to be its own."""
    seen: dict[tuple[object, ...], object] = {}
    for place, entries in places:
        for entry in entries:
            if seen.setdefault(entry, place) != place:
                raise PydanticCustomError("deploy_same", "the same twice", {"text": entry[-1]})


def _own(service: str, name: str, environment: EnvironmentSettings) -> Iterator[tuple[object, ...]]:
    """All that is one environment's alone."""
    yield from _slots_of(environment)
    yield from _entries_of(environment.traffic)
    yield from _units_of(environment.releases, {"service": service, "environment": name})


def _slots_of(environment: EnvironmentSettings) -> Iterator[tuple[object, ...]]:
    yield from ((environment.slots.a,), (environment.slots.b,))


def _entries_of(traffic: TrafficSettings) -> Iterator[tuple[object, ...]]:
    """In HAProxy: the entry of its map, and the backends, which the log tells apart by their names."""
    if isinstance(traffic, HaproxySettings):
        for file in {traffic.map, traffic.map_name or traffic.map}:
            yield "entry", traffic.socket, file, traffic.key
        for backend in (traffic.backends.a, traffic.backends.b):
            yield "backend", traffic.socket, backend
            if traffic.log is not None:
                yield "logged", traffic.log, backend


def _units_of(releases: ReleasesSettings, names: Mapping[str, str]) -> Iterator[tuple[object, ...]]:
    """The units, and the files that they read."""
    if isinstance(releases, SystemdSettings):
        for slot in Slot:
            yield "file", fill(releases.environment_file, {**names, "slot": slot.value})
            # Another machine's systemd, by another command, has units of its own.
            yield "unit", releases.systemctl, fill(releases.unit, {**names, "slot": slot.value})


def services_of(settings: DeploySettings) -> tuple[Service, ...]:
    """The services as values, in the order of the configuration."""
    return tuple(each.service(name) for name, each in settings.services.items())
