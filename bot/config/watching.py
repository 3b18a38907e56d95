"""The parts of the configuration that say what is watched: `probes`, `rules` and the KPI sections."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.config.values import (
    BandText,
    Duration,
    HeaderName,
    HeaderValue,
    HttpUrl,
    Interval,
    Name,
    Statuses,
    Timeout,
    Variable,
    between,
)

Texts = Annotated[tuple[str, ...], Field(strict=False)]
"""A list in YAML; its items stay strict."""

DEFAULT_TIMEOUT = timedelta(seconds=5)


class Section(BaseModel):
    """Base of all parts: nothing unknown, nothing coerced, nothing changed later."""

    # Built when needed: most parts are only ever validated as a part of the whole, which saves memory.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)


class Timing(Section):
    """When a probe is taken, and how long it may need."""

    interval: Interval = Field(
        default=timedelta(seconds=15), description="Time between two checks, 1s to 1d."
    )
    timeout: Timeout | None = Field(
        default=None,
        description="Time a check may take, 100ms to 5m and at most the interval. "
        "Default: 5s, or the interval if that is shorter.",
    )

    @property
    def patience(self) -> timedelta:
        """The time-out that applies."""
        return min(DEFAULT_TIMEOUT, self.interval) if self.timeout is None else self.timeout

    @model_validator(mode="after")
    def _answer_comes_first(self) -> Timing:
        if self.timeout is not None and self.timeout > self.interval:
            raise PydanticCustomError("timeout_over_interval", "timeout over interval")
        return self


class ProbeSettings(Timing):
    """A probe that can be switched off."""

    enabled: bool = Field(default=True, description="Whether this is watched.")


class DiskSettings(ProbeSettings):
    """The disk probe."""

    paths: Texts | None = Field(
        default=None, description="Mounts to watch. Default: all real ones, newly mounted ones too."
    )
    exclude: Texts = Field(default=(), description="Mounts to leave out; `*` stands for anything.")
    exclude_types: Texts = Field(default=(), description="Types of file systems to leave out, such as nfs4.")


class NetworkSettings(ProbeSettings):
    """The network probe."""

    interfaces: Texts | None = Field(
        default=None, description="Interfaces to watch. Default: all that carry anything but loopback."
    )


class HttpTarget(Section):
    """One address to check."""

    name: Name = Field(description="What people call it; shown as the target on cards.")
    url: HttpUrl = Field(description="The address, http or https, without user and password.")
    interval: Interval | None = Field(default=None, description="Default: probes.http.interval.")
    timeout: Timeout | None = Field(default=None, description="Default: probes.http.timeout.")
    method: Literal["GET", "HEAD"] = Field(default="GET", description="The request to send.")
    expect_status: Statuses = Field(
        default=(200, 399), description="Status codes that are right: one (204) or a range (200-399)."
    )
    expect_body: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="Text the first 256 kB of the body must have.",
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default={}, description="Headers to send. No secrets here: see secret_headers."
    )
    secret_headers: dict[HeaderName, Variable] = Field(
        default={},
        description="Headers whose values are secret: the environment variable that holds the value, "
        "or that with _FILE behind it a file that does.",
    )
    verify_tls: bool = Field(default=True, description="Whether the certificate must be valid.")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> HttpTarget:
        if self.method == "HEAD" and self.expect_body is not None:
            raise PydanticCustomError("head_without_body", "HEAD has no body")
        if self.timeout is not None and self.interval is not None and self.timeout > self.interval:
            raise PydanticCustomError("timeout_over_interval", "timeout over interval")
        return self


class HttpSettings(Timing):
    """The addresses to check, and what they have in common."""

    targets: Annotated[tuple[HttpTarget, ...], Field(strict=False)] = Field(
        default=(), max_length=5000, description="The addresses to check. Default: none."
    )


class Probes(Section):
    """What is watched, each with its own interval and time-out."""

    cpu: ProbeSettings = Field(default=ProbeSettings(), description="cpu_usage")
    memory: ProbeSettings = Field(default=ProbeSettings(), description="memory_usage and swap_usage")
    disk: DiskSettings = Field(default=DiskSettings(), description="disk_usage and inode_usage of each mount")
    network: NetworkSettings = Field(
        default=NetworkSettings(),
        description="network_receive_rate, network_transmit_rate, network_errors, network_drops",
    )
    load: ProbeSettings = Field(default=ProbeSettings(), description="load_average, per core")
    processes: ProbeSettings = Field(default=ProbeSettings(), description="process_count and zombie_count")
    http: HttpSettings = Field(
        default=HttpSettings(), description="response_time, reachable and uptime of web addresses"
    )


class BandTexts(Section):
    """The bands of a metric: `target` and at least one level. They meet without gap or overlap."""

    target: BandText | None = Field(default=None, description="Where nothing is wrong.")
    info: BandText | None = None
    warning: BandText | None = None
    error: BandText | None = None
    critical: BandText | None = None
    emergency: BandText | None = None


class Kpi(BandTexts):
    """The bands of a metric, and those of single targets that differ."""

    targets: dict[str, BandTexts | None] = Field(
        default={}, description="Bands of single targets (a mount, an interface, a name); null: none."
    )


Kpis = dict[str, Kpi | None]
"""Bands by metric; null takes a metric's bands away."""

Count = Annotated[int, Field(ge=1, le=100)]


class RuleSettings(Section):
    """How readings of a metric become an alert. What is left out comes from `rules.default`."""

    confirm: Count | None = Field(
        default=None, description="Bad checks in a row before an alert. Default: 3."
    )
    confirm_critical: Count | None = Field(
        default=None, description="The same for the critical level. Default: 2."
    )
    confirm_emergency: Count | None = Field(
        default=None, description="The same for the emergency level. Default: 1."
    )
    clear: Count | None = Field(
        default=None, description="Good checks in a row before it is over. Default: 2."
    )
    margin: Annotated[float, Field(ge=0, strict=False)] | None = Field(
        default=None,
        description="How far beyond the bound a good value must be, in the metric's own unit. "
        "Default: 5 points for percentages, 5 % of the bound for others.",
    )
    missed: Count | None = Field(
        default=None, description="Intervals without data before that is an alert. Default: 3."
    )
    reopen: Annotated[Duration, AfterValidator(between("0s", "1d"))] | None = Field(
        default=None, description="An alert that comes back this soon reopens its card. Default: 15m."
    )
    repeat: Annotated[Duration, AfterValidator(between("0s", "1d"))] | None = Field(
        default=None, description="Shortest time between two edits for repeats. Default: 5m."
    )
