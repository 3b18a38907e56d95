"""Accuracy and noise: what people say of alerts, what alerts cost, and how rules could be tuned."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.domain.alerts.insights import noise_facts, percent, suggestion_facts
from bot.domain.alerts.model import Condition, Rules
from bot.domain.alerts.noise import Accuracy, Setting, accuracy, noise
from bot.domain.alerts.scoring import Outcome
from bot.engine.clock import Clock
from bot.store.insight import InsightStore
from bot.store.ratings import Past, RatingStore, rule_name
from bot.store.store import Store
from messages.insight_facts import NoiseFacts, RatingFacts

DAYS = 30


class NoiseBook:
    """Takes ratings down and reports on rules. Every method may raise StoreUnavailable."""

    def __init__(
        self, store: Store, ratings: RatingStore, insight: InsightStore, rules: Rules, clock: Clock
    ) -> None:
        self._store = store
        self._ratings = ratings
        self._insight = insight
        self._rules = rules
        self._clock = clock

    async def rate(self, alert_id: int, user: str, useful: bool) -> RatingFacts | None:
        """Somebody says whether an alert was right; None if there is no such alert. Of one person the latest
        counts. The answer tells how the rule stands, with a suggestion at every fifth 👎."""
        alert = await self._store.alert(alert_id)
        if alert is None:
            return None
        subject = alert.subject
        rule = rule_name(subject.condition, subject.metric, alert.title)
        rated = await self._ratings.rate(alert_id, user, rule, useful, self._clock())
        advice = None
        if rated.hint:
            past = await self._ratings.past(self._clock() - timedelta(days=DAYS))
            fired = [each.fired for each in past if each.fired.rule == rule]
            found = noise(fired, DAYS, self._settings(past))
            advice = found[0].suggestion if found else None
        return RatingFacts(
            alert_id=alert_id,
            rule=rule,
            unit=alert.unit,
            useful_now=useful,
            useful=rated.ratings.useful,
            useless=rated.ratings.useless,
            accuracy=percent(rated.ratings.share),
            hint=rated.hint,
            suggestion=suggestion_facts(advice),
        )

    async def report(self, days: int = DAYS) -> NoiseFacts:
        """What every rule cost in the last days and what it was worth, worst first."""
        since = self._clock() - timedelta(days=days)
        past = await self._ratings.past(since)
        fired = [each.fired for each in past]
        outcomes = await self._insight.outcomes(since)
        # A hundred thousand alerts take a quarter of a second, and the watch must not wait for them.
        rules = await asyncio.to_thread(noise, fired, days, self._settings(past))
        return noise_facts(
            rules,
            accuracy(fired),
            days,
            forecasts=sum(outcomes.values()),
            forecast_hits=outcomes.get(Outcome.HIT, 0),
        )

    async def accuracy(self, days: int = DAYS) -> Accuracy:
        """알림 정확도: what people said of the alerts that fired in the last days."""
        past = await self._ratings.past(self._clock() - timedelta(days=days))
        return accuracy(each.fired for each in past)

    def _settings(self, past: Sequence[Past]) -> Mapping[str, Setting]:
        """How the rules are set, as they are for the target that fired most."""
        counts = Counter(
            (each.fired.rule, each.metric, each.target, each.layer)
            for each in past
            if each.condition is Condition.THRESHOLD
        )
        found: dict[str, Setting] = {}
        for (name, metric, target, layer), _ in counts.most_common():
            rule = self._rules.rule_for(metric, target, layer)
            if name in found or rule.bands is None:
                continue
            levels = sorted(rule.bands.levels)
            bounds = [rule.bands.entry(level) for level in levels]
            following = bounds[1] if len(bounds) > 1 else None
            found[name] = Setting(bounds[0], following, rule.bands.rising, rule.confirm, rule.clear)
        return found
