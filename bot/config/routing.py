"""The parts of the configuration that say where alerts go: `services`, `policies` and `routes`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from bot.config.elsewhere import PlainName
from bot.config.values import Channel, Duration, Name, between
from bot.config.watching import Section, Texts
from bot.domain.labels import NAME_LIMIT, RESERVED, VALUE_LIMIT
from bot.domain.matcher_notation import MatcherInvalid, parse, refuse_contradiction
from bot.domain.targets import TARGET_PATTERN, parse_target


def _matcher(value: str) -> str:
    try:
        refuse_contradiction(parse(value))
    except MatcherInvalid as invalid:
        fault = f"matcher_{invalid.fault.value}"
        raise PydanticCustomError(fault, "no matcher", dict(invalid.values)) from None
    return value


MatcherText = Annotated[str, AfterValidator(_matcher)]
"""A text that `bot.domain.matcher_notation` reads, and that does not contradict itself."""


def _target(value: str) -> str:
    try:
        parse_target(value)
    except ValueError:
        raise PydanticCustomError("escalation_target", "no target", {"text": value[:80]}) from None
    return value.strip()


TargetText = Annotated[
    str, AfterValidator(_target), WithJsonSchema({"type": "string", "pattern": TARGET_PATTERN})
]

_LABEL_PATTERN = rf"^[a-zA-Z_][a-zA-Z0-9_]{{0,{NAME_LIMIT - 1}}}$"


def _own_label(value: str) -> str:
    if value in RESERVED or value == "service":
        raise PydanticCustomError("label_reserved", "reserved", {"word": value})
    return value


LabelName = Annotated[str, Field(pattern=_LABEL_PATTERN)]
OwnLabel = Annotated[LabelName, AfterValidator(_own_label)]
LabelValue = Annotated[str, Field(min_length=1, max_length=VALUE_LIMIT)]


class ServiceSettings(Section):
    """A service: what belongs to it, and what it cannot do without."""

    targets: Texts = Field(default=(), description="Targets that belong to it; `*` stands for anything.")
    probes: Texts = Field(default=(), description="Probes all of whose targets belong to it.")
    backends: Texts = Field(default=(), description="Names of probes.http.targets that serve it.")
    depends_on: Texts = Field(
        default=(), description="Services it cannot do without: while one is down, its alerts are muted."
    )
    labels: dict[OwnLabel, LabelValue] = Field(
        default={}, max_length=20, description="Labels that its alerts have."
    )
    environment: PlainName | None = Field(
        default=None,
        description="The environment of deploy.services to whose deployments its alerts belong. Default: "
        "`environment` of the whole.",
    )


Delay = Annotated[Duration, AfterValidator(between("0s", "1d"))]
Pause = Annotated[Duration, AfterValidator(between("10s", "1d"))]
Expiry = Annotated[Duration, AfterValidator(between("1m", "7d"))]
Tier = Annotated[int, Field(ge=1, le=3)]


class StepSettings(Section):
    """One step of a ladder."""

    after: Delay = Field(description="How long after the begin of its round, 0s to 1d.")
    tiers: Annotated[tuple[Tier, ...], Field(strict=False)] = Field(
        min_length=1, max_length=3, description="The tiers that are paged, counted from 1."
    )


class LadderSettings(Section):
    """The steps of one level. What is left out is as in the default ladder of that level."""

    steps: Annotated[tuple[StepSettings, ...], Field(strict=False)] | None = Field(
        default=None, max_length=20, description="The steps in order; an empty list pages nobody."
    )
    rounds: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="How often all steps are gone through."
    )
    pause: Pause | None = Field(default=None, description="Time between two rounds, 10s to 1d.")
    every: Pause | None = Field(
        default=None, description="Behind the last round all tiers are paged this often; null: no more."
    )

    @model_validator(mode="after")
    def _goes_up(self) -> LadderSettings:
        delays = [step.after for step in self.steps or ()]
        if delays != sorted(delays):
            raise PydanticCustomError("steps_order", "steps out of order")
        return self


class LadderBook(Section):
    """Ladders by level."""

    info: LadderSettings | None = None
    warning: LadderSettings | None = None
    error: LadderSettings | None = None
    critical: LadderSettings | None = None
    emergency: LadderSettings | None = None


class ExpiryBook(Section):
    """How long an acknowledgement holds, by level."""

    info: Expiry | None = None
    warning: Expiry | None = None
    error: Expiry | None = None
    critical: Expiry | None = None
    emergency: Expiry | None = None


class PolicySettings(Section):
    """Who is paged, and when."""

    tiers: (
        Annotated[
            tuple[Annotated[tuple[TargetText, ...], Field(strict=False, min_length=1, max_length=20)], ...],
            Field(strict=False),
        ]
        | None
    ) = Field(
        default=None,
        max_length=3,
        description="Who is paged, tier by tier: @handle or a user id, schedule:NAME, group:@handle or "
        "group:ID, #channel, apprise:NAME. Default: slack.alerts_channel.",
    )
    ladders: LadderBook = Field(default=LadderBook(), description="When, by level.")
    ack_expires: ExpiryBook = Field(
        default=ExpiryBook(), description="How long an acknowledgement holds, by level, 1m to 7d."
    )


class RouteSettings(Section):
    """One route. The first that an alert matches takes it."""

    name: Name = Field(description="What it is called; shown by `guardian route`.")
    match: MatcherText = Field(description="Which alerts it takes, such as `service=shop, level>=critical`.")
    channel: Channel | None = Field(
        default=None, description="Where they are posted. Default: slack.alerts_channel."
    )
    policy: Name | None = Field(default=None, description="Who is paged. Default: the policy `default`.")


Policies = Annotated[dict[Name, PolicySettings], Field(max_length=200)]
Services = Annotated[dict[Name, ServiceSettings], Field(max_length=2000)]
Routes = Annotated[tuple[RouteSettings, ...], Field(strict=False, max_length=1000)]
