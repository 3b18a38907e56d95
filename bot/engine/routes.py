"""`route`: which way an alert goes, who is paged when, and why no other route took it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.alerts.ladder import Policy
from bot.domain.labels import Services, completed
from bot.domain.levels import Level
from bot.domain.matcher_notation import MatcherFault, MatcherInvalid, parse
from bot.domain.matchers import LEVEL, Operator
from bot.domain.routing import Routes, Tried
from messages.cover_facts import LadderFacts, RouteFacts, StepFacts, TriedFacts


def asked_labels(text: str) -> tuple[Mapping[str, str], Level]:
    """The labels that `service=shop level=critical` names, and the level; critical if it names none. An empty
    text names none at all.

    Raises MatcherInvalid for a text that is none, or that compares otherwise than by `=`.
    """
    labels: dict[str, str] = {}
    for condition in parse(text).conditions if text.strip() else ():
        if condition.operator is not Operator.IS:
            position = max(text.find(condition.operator.value), 0) + 1
            raise MatcherInvalid(MatcherFault.ONLY_IS, position, text=condition.operator.value)
        labels[condition.label] = condition.value
    level = Level.of(labels.pop(LEVEL, Level.CRITICAL.word))
    return labels, level


def route_facts(
    routes: Routes, services: Services, environment: str, labels: Mapping[str, str], level: Level
) -> RouteFacts:
    """Which way an alert with those labels goes at that level. Service, host and the service's labels
    follow from the others, as they do for an alert."""
    whole = completed({"environment": environment, **labels}, {}, services)
    explained = routes.explain(whole, level)
    route = explained.route
    return RouteFacts(
        labels=dict(whole),
        level=level.word,
        route=route.name,
        channel=route.channel,
        policy=route.policy.name,
        tried=tuple(map(_tried, explained.tried)),
        ladders=tuple(_ladder(route.policy, each) for each in Level),
    )


def _tried(tried: Tried) -> TriedFacts:
    failed = tried.failed
    return TriedFacts(
        route=tried.route,
        matcher=str(tried.matcher),
        condition=None if failed is None else str(failed),
        label=None if failed is None else failed.label,
        found=tried.found,
    )


def _ladder(policy: Policy, level: Level) -> LadderFacts:
    ladder = policy.ladder(level)
    return LadderFacts(
        level=level.word,
        steps=tuple(
            StepFacts(rung.after.total_seconds(), tuple(map(str, policy.targets(rung.tiers))))
            for rung in ladder.rungs
        ),
        rounds=ladder.rounds,
        pause_seconds=ladder.pause.total_seconds(),
        every_seconds=None if ladder.every is None else ladder.every.total_seconds(),
    )
