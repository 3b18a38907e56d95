"""The parts of the configuration for alerts from elsewhere: `webhooks` and `heartbeats`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from bot.config.values import Duration, Port, Variable, between
from bot.config.watching import Section
from bot.domain.heartbeats import Job
from bot.domain.levels import Level
from bot.engine.payload_faults import TemplateFault
from bot.engine.payload_templates import MappingTexts, check_events, check_text, check_truth

_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,78}[A-Za-z0-9])?")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,199}")
_TAKEN = frozenset({"alertmanager"})

LevelWord = Literal["info", "warning", "error", "critical", "emergency"]


def _word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise PydanticCustomError("plain_name", "no plain name", {"text": value[:80]})
    return value


PlainName = Annotated[
    str, AfterValidator(_word), WithJsonSchema({"type": "string", "pattern": f"^{_WORD.pattern}$"})
]
"""A name that can stand in an address and after a colon."""


def _source(value: str) -> str:
    if value in _TAKEN:
        raise PydanticCustomError("source_taken", "taken", {"text": value})
    return _word(value)


SourceName = Annotated[
    str, AfterValidator(_source), WithJsonSchema({"type": "string", "pattern": f"^{_WORD.pattern}$"})
]


def _label(value: str) -> str:
    if not _LABEL.fullmatch(value):
        raise PydanticCustomError("label_name", "no label", {"text": value[:80]})
    return value


LabelName = Annotated[
    str, AfterValidator(_label), WithJsonSchema({"type": "string", "pattern": f"^{_LABEL.pattern}$"})
]


def _checked_by(check: Callable[[str], None]) -> AfterValidator:
    def template(value: str) -> str:
        try:
            check(value)
        except TemplateFault as fault:
            unfit = f"template_{fault.unfit.value}"
            raise PydanticCustomError(unfit, "no template", dict(fault.values)) from None
        return value

    return AfterValidator(template)


Template = Annotated[str, Field(min_length=1), _checked_by(check_text)]
"""A Jinja template over `payload` and `event`."""
TruthTemplate = Annotated[str, Field(min_length=1), _checked_by(check_truth)]
"""One that gives true or false."""
EventsTemplate = Annotated[str, Field(min_length=1), _checked_by(check_events)]
"""One over `payload` that gives a list."""


class MappingSettings(Section):
    """What is what in a payload: Jinja templates over `payload`, the whole, and `event`, one of `each`."""

    each: EventsTemplate | None = Field(
        default=None, description="The list of events in a payload. Default: the payload is the one event."
    )
    key: Template = Field(description="What tells two alerts of this source apart.")
    title: Template = Field(description="What the card says, in a line.")
    firing: TruthTemplate = Field(description="true while it is bad, false when it is over.")
    target: Template = Field(description="What it is about: a host, a service.")
    level: Template | None = Field(
        default=None, description="A level, or a word of `severities`. Default: warning."
    )
    metric: Template | None = Field(
        default=None, description="What kind of alert it is. Default: the source's name."
    )
    labels: dict[LabelName, Template] = Field(
        default={}, max_length=64, description="Labels for routes and silences."
    )
    facts: dict[LabelName, Template] = Field(default={}, max_length=20, description="More lines on the card.")

    @property
    def texts(self) -> MappingTexts:
        """The templates as the door takes them."""
        return MappingTexts(
            key=self.key,
            title=self.title,
            firing=self.firing,
            target=self.target,
            each=self.each,
            level=self.level,
            metric=self.metric,
            labels=self.labels,
            facts=self.facts,
        )


class SourceSettings(Section):
    """A system that posts JSON to /webhook/NAME."""

    mapping: MappingSettings = Field(description="What is what in its payloads.")
    variable: Variable | None = Field(
        default=None,
        description="The environment variable with this source's own secret. "
        "Default: GUARDIAN_WEBHOOK_SECRET, which all share.",
    )


class WebhookSettings(Section):
    """The door for alerts from elsewhere and for heartbeats."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: Port = Field(default=9465, description="Port to listen on.")
    severities: dict[str, LevelWord] = Field(
        default={}, description="Levels for other systems' words, beside the usual ones (warn, crit, page)."
    )
    sources: dict[SourceName, SourceSettings] = Field(
        default={}, description="Systems that post JSON of their own to /webhook/NAME."
    )

    @property
    def levels(self) -> dict[str, Level]:
        """The level for each word of `severities`."""
        return {word: Level.of(level) for word, level in self.severities.items()}


class HeartbeatSettings(Section):
    """A job that must report to /heartbeat/NAME."""

    every: Annotated[Duration, AfterValidator(between("10s", "366d"))] = Field(
        description="How often it reports."
    )
    grace: Annotated[Duration, AfterValidator(between("1s", "31d"))] = Field(
        default=timedelta(minutes=5), description="How late it may be, and how long a run may take."
    )
    level: LevelWord = Field(default="error", description="Level of the alert when it is late or fails.")
    labels: dict[LabelName, Annotated[str, Field(max_length=1000)]] = Field(
        default={}, max_length=60, description="Labels for routes and silences, such as service."
    )

    def job(self, name: str) -> Job:
        """The job of that name."""
        return Job(name, self.every, self.grace, Level.of(self.level), MappingProxyType(self.labels))


Heartbeats = dict[PlainName, HeartbeatSettings]
