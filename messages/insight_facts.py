"""What was found out beside the decision about an alert; the same rules as in `messages.facts`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from messages.facts import Facts


@dataclass(frozen=True, slots=True)
class ForecastFacts(Facts):
    """When the value will reach the next worse band, if it goes on like this."""

    metric: str
    unit: str
    bound: float
    level: str
    """which level begins there"""
    made_at: str
    reaches_at: str
    slope: float
    """per hour, in the metric's unit"""
    z: float
    """Mann–Kendall's: how surely it is a trend"""
    points: int


@dataclass(frozen=True, slots=True)
class NamedAlertFacts(Facts):
    """An alert by name, inside the facts of another one."""

    id: int
    kind: str
    """threshold, no_data, reported, heartbeat or failed_run"""
    level: str
    metric: str
    target: str
    title: str
    service: str


@dataclass(frozen=True, slots=True)
class ChangeFacts(Facts):
    """Something that was changed on purpose. What is empty is not known."""

    id: int
    at: str
    kind: str
    """deploy, rollback, config or other"""
    service: str
    environment: str
    target: str
    title: str
    url: str
    by: str
    """a Slack user id, or a name"""
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    """`sections`: which parts of the Guardian's own configuration changed. Of a deployment of ours:
    `operation`, `kind` (deploy or rollback), `revision`, `event` (traffic, stage, complete, back) and
    `percent` of traffic"""


@dataclass(frozen=True, slots=True)
class CauseFacts(Facts):
    """What may be behind an alert: another alert or a change."""

    kind: str
    """same_resource, dependency, change or together"""
    at: str
    upstream: int
    """how many services upstream"""
    alert: NamedAlertFacts | None
    change: ChangeFacts | None
    evidence: Mapping[str, JsonValue]
    """`minutes` that it was first (below 0: noticed later), `resource`, `path`, `times`, `lift`"""


@dataclass(frozen=True, slots=True)
class ContextFacts(Facts):
    """What an alert has to do with the others."""

    probable: CauseFacts | None
    causes: tuple[CauseFacts, ...]
    """the first few candidates, the probable one among them"""
    effects: int
    """how many alerts this one may explain"""
    first_effects: tuple[NamedAlertFacts, ...]


@dataclass(frozen=True, slots=True)
class InsightFacts(Facts):
    """All of it, about one alert."""

    context: ContextFacts | None = None
    forecast: ForecastFacts | None = None
    changes: tuple[ChangeFacts, ...] = ()
    """the newest first"""
    deployment: ChangeFacts | None = None
    """the latest in the alert's environment, within half an hour before it; of an alert about a failed run
    what that very run did"""

    def as_extras(self) -> dict[str, JsonValue]:
        """What there is of it, for `AlertFacts.extras`: `context`, `forecast`, `changes`, `deployment`."""
        found: dict[str, JsonValue] = {}
        if self.context is not None and (self.context.causes or self.context.effects):
            found["context"] = self.context.as_json()
        if self.forecast is not None:
            found["forecast"] = self.forecast.as_json()
        if self.changes:
            found["changes"] = [change.as_json() for change in self.changes]
        if self.deployment is not None:
            found["deployment"] = self.deployment.as_json()
        return found


@dataclass(frozen=True, slots=True)
class SuggestionFacts(Facts):
    """How a rule could be set so that it calls people less."""

    kind: str
    """bound or confirm"""
    value: float
    now: float
    spared: int
    """alerts that would not have fired"""
    spared_seen: int
    """of which somebody looked at"""


@dataclass(frozen=True, slots=True)
class RuleNoiseFacts(Facts):
    """What a rule cost and what it was worth. Shares are percentages."""

    rule: str
    """a metric, no_data, or what a reported alert calls itself"""
    unit: str
    alerts: int
    pages: int
    per_day: float
    duration_seconds: float | None
    """the median"""
    acked: float
    unseen: float | None
    """resolved without anyone looking"""
    useful: int
    useless: int
    accuracy: float | None
    suggestion: SuggestionFacts | None


@dataclass(frozen=True, slots=True)
class NoiseFacts(Facts):
    """The answer to `noise`."""

    days: int
    alerts: int
    pages: int
    rules: tuple[RuleNoiseFacts, ...]
    """the one that paged most for least first"""
    useful: int
    useless: int
    accuracy: float | None
    """percent of the ratings; None without any"""
    target: float
    """percent, what the source document asks for"""
    forecasts: int
    """how many forecasts were scored"""
    forecast_hits: int


@dataclass(frozen=True, slots=True)
class RatingFacts(Facts):
    """Somebody said whether an alert was right."""

    alert_id: int
    rule: str
    unit: str
    useful_now: bool
    """what was said"""
    useful: int
    useless: int
    accuracy: float | None
    hint: bool
    """whether five more 👎 have come together"""
    suggestion: SuggestionFacts | None
    """how the rule could be set; only with a hint"""
