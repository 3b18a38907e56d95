"""What is checked of a release: `deploy.services.*.preflight` and `.verification`."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.config.deploy_values import CheckCommand, Evidence, Reason, TrialCommand, UrlPath
from bot.config.values import Duration, Statuses, Timeout, Variable, between
from bot.config.watching import Section
from bot.domain.deploy.checks import (
    Asked,
    ByCommand,
    ByLoad,
    ByRequests,
    Check,
    CheckRules,
    LeftOut,
    Trial,
    TrialRules,
)

Status = Annotated[int, Field(ge=0, le=255)]
Patience = Annotated[Duration, AfterValidator(between("1s", "2h"))]


class CommandSettings(Section):
    """What a check by a program can say about it."""

    timeout: Patience = Field(default=timedelta(minutes=10), description="How long it may take, 1s to 2h.")
    evidence: Evidence | None = Field(
        default=None,
        description="A regular expression (RE2) that its output must match: that anything was looked at. "
        "If it has a group, that must not be 0: '(\\d+) passed'.",
    )
    nothing_statuses: Annotated[tuple[Status, ...], Field(strict=False, max_length=50)] = Field(
        default=(5,), description="Exit statuses that mean that nothing was checked; pytest's is 5."
    )
    variables: Annotated[tuple[Variable, ...], Field(strict=False, max_length=50)] = Field(
        default=(), description="Environment variables that it is given, such as NPM_TOKEN. No others are."
    )
    left_out: Reason | None = Field(
        default=None, description="Instead: why it is not checked. Shown with every plan."
    )

    def _by(self, command: tuple[str, ...] | None) -> ByCommand | LeftOut:
        """The check by that program; without one it is left out."""
        if command is None:
            return LeftOut(self.left_out or "")
        statuses = frozenset(self.nothing_statuses)
        return ByCommand(command, self.timeout, self.evidence, statuses, self.variables)


class CheckSettings(CommandSettings):
    """A check before anything acts: `command`, or `left_out`."""

    command: CheckCommand | None = Field(
        default=None,
        description="Program and arguments, without a shell; {revision}, {service}, {environment} and "
        "{directory} stand for values. {directory} is a temporary folder with the revision's commit from the "
        "repository, where it is run as well.",
    )

    @model_validator(mode="after")
    def _is_one_of_them(self) -> CheckSettings:
        if (self.command is None) == (self.left_out is None):
            raise PydanticCustomError("deploy_check", "command or left_out")
        return self

    @property
    def rule(self) -> ByCommand | LeftOut:
        """The check, or the test, as a value."""
        return self._by(self.command)


class TrialSettings(CheckSettings):
    """A test against Green alone: the same, with Green's address for the program."""

    command: TrialCommand | None = Field(
        default=None,
        description="Program and arguments, without a shell; {url}, Green's own address, and {revision}, "
        "{service}, {environment} stand for values.",
    )


class RequestSettings(Section):
    """One request to Green, and what a good answer is."""

    path: UrlPath = Field(description="The path, such as /login.")
    status: Statuses = Field(default=(200, 299), description="Status codes that are right: 204, 200-399.")
    contains: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="What the answer must have: an error page may come with 200."
    )


class SmokeSettings(CommandSettings):
    """The smoke test: `requests`, `command`, or `left_out`."""

    command: TrialCommand | None = Field(default=None, description="As of the others.")
    requests: Annotated[tuple[RequestSettings, ...], Field(strict=False, max_length=100)] | None = Field(
        default=None, min_length=1, description="Requests that all must be answered well."
    )
    request_timeout: Timeout = Field(
        default=timedelta(seconds=5), description="How long one request may take, 100ms to 5m."
    )

    @model_validator(mode="after")
    def _is_one_of_them(self) -> SmokeSettings:
        if [self.command, self.requests, self.left_out].count(None) != 2:
            raise PydanticCustomError("deploy_trial", "one of three")
        return self

    @property
    def rule(self) -> ByCommand | ByRequests | LeftOut:
        """The test as a value."""
        if self.requests is not None:
            asked = tuple(Asked(each.path, each.status, each.contains) for each in self.requests)
            return ByRequests(asked, self.request_timeout)
        return self._by(self.command)


class LoadSettings(Section):
    """Many requests to Green."""

    paths: Annotated[tuple[UrlPath, ...], Field(strict=False, max_length=100)] = Field(
        default=("/",), min_length=1, description="Paths, in turn."
    )
    count: Annotated[int, Field(ge=20, le=1_000_000)] = Field(default=600, description="How many requests.")
    per_second: Annotated[float, Field(ge=0.1, le=5000, strict=False)] = Field(
        default=50.0, description="At most so many a second."
    )
    p95_ms: Annotated[float, Field(ge=1, le=600_000, strict=False)] = Field(
        default=500.0, description="95 % must be answered within so many milliseconds."
    )
    error_rate: Annotated[float, Field(ge=0, le=100, strict=False)] = Field(
        default=0.0, description="Percent of them that may fail."
    )
    timeout: Timeout = Field(
        default=timedelta(seconds=10), description="How long one request may take, 100ms to 5m."
    )


class PerformanceSettings(CommandSettings):
    """The performance test: `requests`, `command`, or `left_out`."""

    command: TrialCommand | None = Field(default=None, description="As of the others.")
    requests: LoadSettings | None = Field(
        default=None, description="Many requests, and how fast they must be."
    )

    @model_validator(mode="after")
    def _is_one_of_them(self) -> PerformanceSettings:
        if [self.command, self.requests, self.left_out].count(None) != 2:
            raise PydanticCustomError("deploy_trial", "one of three")
        return self

    @property
    def rule(self) -> ByCommand | ByLoad | LeftOut:
        """The test as a value."""
        load = self.requests
        if load is not None:
            return ByLoad(load.paths, load.count, load.per_second, load.p95_ms, load.error_rate, load.timeout)
        return self._by(self.command)


class PreflightSettings(Section):
    """The document's six checks; none of them may be missing."""

    code_quality: CheckSettings = Field(description="Linters, formatters, types.")
    security: CheckSettings = Field(description="A scan for weaknesses.")
    dependencies: CheckSettings = Field(description="An audit of what it depends on.")
    performance: CheckSettings = Field(description="Measured before it runs: sizes, benchmarks.")
    compatibility: CheckSettings = Field(description="Browsers.")
    accessibility: CheckSettings = Field(description="WCAG and the like.")

    @property
    def rules(self) -> CheckRules:
        """All six as values."""
        every = {
            Check.CODE_QUALITY: self.code_quality,
            Check.SECURITY: self.security,
            Check.DEPENDENCIES: self.dependencies,
            Check.PERFORMANCE: self.performance,
            Check.COMPATIBILITY: self.compatibility,
            Check.ACCESSIBILITY: self.accessibility,
        }
        return MappingProxyType({check: every[check].rule for check in Check})


class VerificationSettings(Section):
    """The document's four kinds of tests against Green; none of them may be missing."""

    smoke: SmokeSettings = Field(description="Whether it answers at all.")
    integration: TrialSettings = Field(description="Whether it works with what is around it.")
    performance: PerformanceSettings = Field(description="Whether it is fast enough.")
    security: TrialSettings = Field(description="Whether it is safe from outside.")

    @property
    def rules(self) -> TrialRules:
        """All four as values."""
        return MappingProxyType({
            Trial.SMOKE: self.smoke.rule,
            Trial.INTEGRATION: self.integration.rule,
            Trial.PERFORMANCE: self.performance.rule,
            Trial.SECURITY: self.security.rule,
        })  # fmt: skip
