"""Which way an alert goes: the first route whose matcher it is takes it, the default route what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.alerts.ladder import Policy, Target, TargetKind
from bot.domain.alerts.surroundings import Route
from bot.domain.levels import Level
from bot.domain.matchers import LEVEL, Condition, Matcher

DEFAULT = "default"
"""Name of the route that takes what no other does, and of its policy."""


@dataclass(frozen=True, slots=True)
class RouteRule:
    """One route of the configuration: what it takes, and where that goes."""

    matcher: Matcher
    route: Route


@dataclass(frozen=True, slots=True)
class Tried:
    """A route that was asked. `failed` is the first condition that did not hold, `found` the label's value
    (empty for an absent one); both None for the route that takes the alert."""

    route: str
    matcher: Matcher
    failed: Condition | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where an alert goes, and which routes were asked on the way, the one that takes it last."""

    route: Route
    tried: tuple[Tried, ...]


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes in their order, and the one that takes the rest."""

    rules: tuple[RouteRule, ...]
    default: Route

    def route(self, labels: Mapping[str, str], level: Level | None) -> Route:
        """Where an alert with those labels goes at that level."""
        for rule in self.rules:
            if rule.matcher.matches(labels, level):
                return rule.route
        return self.default

    def explain(self, labels: Mapping[str, str], level: Level | None) -> Explanation:
        """The same, with each route that was asked and why it did not take the alert."""
        tried: list[Tried] = []
        for rule in self.rules:
            failed = rule.matcher.failing(labels, level)
            if failed is None:
                tried.append(Tried(rule.route.name, rule.matcher))
                return Explanation(rule.route, tuple(tried))
            tried.append(Tried(rule.route.name, rule.matcher, failed, _found(failed, labels, level)))
        tried.append(Tried(self.default.name, Matcher()))
        return Explanation(self.default, tuple(tried))


def _found(condition: Condition, labels: Mapping[str, str], level: Level | None) -> str:
    if condition.label == LEVEL:
        return level.word if level is not None else ""
    return labels.get(condition.label, "")


def default_routes(channel: str) -> Routes:
    """What holds without a configuration: everything goes to that channel, and escalations are said there."""
    return Routes((), Route(channel, channel_policy(channel), DEFAULT))


def channel_policy(channel: str) -> Policy:
    """The policy that calls whoever reads the channel: the design's ladder, and the channel its one tier."""
    return Policy(DEFAULT, ((Target(TargetKind.CHANNEL, channel),),))
