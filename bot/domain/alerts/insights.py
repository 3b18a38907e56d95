"""What messages are told of contexts, forecasts and noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.alerts.correlation import Cause, Context
from bot.domain.alerts.forecast import Forecast
from bot.domain.alerts.happenings import Happening
from bot.domain.alerts.model import Alert
from bot.domain.alerts.noise import TARGET_ACCURACY, Accuracy, RuleNoise, Suggestion
from messages.insight_facts import (
    CauseFacts,
    ChangeFacts,
    ContextFacts,
    ForecastFacts,
    NamedAlertFacts,
    NoiseFacts,
    RuleNoiseFacts,
    SuggestionFacts,
)

CAUSES_SHOWN = 5


def forecast_facts(forecast: Forecast, metric: str, unit: str) -> ForecastFacts:
    """One forecast about that metric."""
    return ForecastFacts(
        metric=metric,
        unit=unit,
        bound=forecast.bound,
        level=forecast.level.word,
        made_at=forecast.made_at.isoformat(),
        reaches_at=forecast.reaches_at.isoformat(),
        slope=forecast.slope,
        z=forecast.z,
        points=forecast.points,
    )


def named_facts(alert: Alert) -> NamedAlertFacts:
    """The alert by name."""
    return NamedAlertFacts(
        id=alert.id,
        kind=alert.subject.condition.value,
        level=alert.level.word,
        metric=alert.subject.metric,
        target=alert.subject.target,
        title=alert.title,
        service=alert.labels.get("service", ""),
    )


def change_facts(change: Happening) -> ChangeFacts:
    """One change."""
    return ChangeFacts(
        id=change.id,
        at=change.at.isoformat(),
        kind=change.kind.value,
        service=change.service,
        environment=change.environment,
        target=change.target,
        title=change.title,
        url=change.url,
        by=change.by,
        facts=dict(change.facts),
    )


def context_facts(
    context: Context, alerts: Mapping[int, Alert], changes: Mapping[int, Happening]
) -> ContextFacts:
    """A context with the names of what it speaks of, which are found in `alerts` and `changes` by id."""
    shown = list(context.causes[:CAUSES_SHOWN])
    if context.probable is not None and context.probable not in shown:
        shown[-1] = context.probable
    probable = None
    if context.probable is not None:
        probable = _cause_facts(context.probable, alerts, changes)
    return ContextFacts(
        probable=probable,
        causes=tuple(_cause_facts(cause, alerts, changes) for cause in shown),
        effects=context.effects,
        first_effects=tuple(named_facts(alerts[number]) for number in context.first_effects),
    )


def _cause_facts(cause: Cause, alerts: Mapping[int, Alert], changes: Mapping[int, Happening]) -> CauseFacts:
    return CauseFacts(
        kind=cause.kind.value,
        at=cause.at.isoformat(),
        upstream=cause.upstream,
        alert=None if cause.alert_id is None else named_facts(alerts[cause.alert_id]),
        change=None if cause.change_id is None else change_facts(changes[cause.change_id]),
        evidence=dict(cause.evidence),
    )


def noise_facts(
    rules: Sequence[RuleNoise], judged: Accuracy, days: int, forecasts: int, forecast_hits: int
) -> NoiseFacts:
    """The whole report."""
    return NoiseFacts(
        days=days,
        alerts=sum(rule.alerts for rule in rules),
        pages=sum(rule.pages for rule in rules),
        rules=tuple(_rule_facts(rule) for rule in rules),
        useful=judged.useful,
        useless=judged.useless,
        accuracy=percent(judged.share),
        target=100 * TARGET_ACCURACY,
        forecasts=forecasts,
        forecast_hits=forecast_hits,
    )


def suggestion_facts(suggestion: Suggestion | None) -> SuggestionFacts | None:
    """One suggestion; None where there is none."""
    if suggestion is None:
        return None
    return SuggestionFacts(
        kind=suggestion.kind,
        value=suggestion.value,
        now=suggestion.now,
        spared=suggestion.spared,
        spared_seen=suggestion.spared_seen,
    )


def percent(share: float | None) -> float | None:
    """A share as a percentage."""
    return None if share is None else 100 * share


def _rule_facts(rule: RuleNoise) -> RuleNoiseFacts:
    return RuleNoiseFacts(
        rule=rule.rule,
        unit=rule.unit,
        alerts=rule.alerts,
        pages=rule.pages,
        per_day=rule.per_day,
        duration_seconds=rule.duration.total_seconds() if rule.duration is not None else None,
        acked=100 * rule.acked,
        unseen=percent(rule.unseen),
        useful=rule.accuracy.useful,
        useless=rule.accuracy.useless,
        accuracy=percent(rule.accuracy.share),
        suggestion=suggestion_facts(rule.suggestion),
    )
