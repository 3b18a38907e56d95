"""The first route that an alert matches takes it."""

from __future__ import annotations

import pytest

from bot.domain.alerts.ladder import Policy, Target, TargetKind
from bot.domain.alerts.surroundings import Route
from bot.domain.levels import Level
from bot.domain.matcher_notation import parse
from bot.domain.routing import RouteRule, Routes, default_routes
from bot.domain.targets import parse_target


def rule(name: str, match: str) -> RouteRule:
    return RouteRule(parse(match), Route(f"{name}-channel", Policy(name), name))


ROUTES = Routes(
    (
        rule("loud", "service=shop, level>=critical"),
        rule("shop", "service=shop"),
        rule("night", "team=night"),
    ),
    Route("alerts", Policy()),
)


@pytest.mark.parametrize(
    ("labels", "level", "name"),
    [
        ({"service": "shop"}, Level.CRITICAL, "loud"),
        ({"service": "shop"}, Level.WARNING, "shop"),
        ({"service": "shop", "team": "night"}, Level.WARNING, "shop"),
        ({"team": "night"}, Level.INFO, "night"),
        ({}, Level.EMERGENCY, "default"),
    ],
)
def test_the_first_match_wins_and_the_default_is_last(
    labels: dict[str, str], level: Level, name: str
) -> None:
    assert ROUTES.route(labels, level).name == name
    assert ROUTES.explain(labels, level).route == ROUTES.route(labels, level)


def test_it_says_which_condition_failed_on_which_label() -> None:
    explained = ROUTES.explain({"service": "shop", "team": "day"}, Level.WARNING)
    told = [(each.route, str(each.failed) if each.failed else None, each.found) for each in explained.tried]
    assert told == [("loud", "level>=critical", "warning"), ("shop", None, None)]
    explained = ROUTES.explain({"team": "day"}, Level.WARNING)
    assert [(each.route, each.found) for each in explained.tried] == [
        ("loud", ""),
        ("shop", ""),
        ("night", "day"),
        ("default", None),
    ]


def test_without_a_configuration_escalations_are_said_in_the_channel() -> None:
    route = default_routes("ops").route({}, Level.CRITICAL)
    assert (route.channel, route.name) == ("ops", "default")
    assert route.policy.targets((1,)) == (Target(TargetKind.CHANNEL, "ops"),)
    assert [rung.tiers for rung in route.policy.ladder(Level.CRITICAL).rungs] == [(1,)]


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("@seoyeon.park", TargetKind.PERSON, "@seoyeon.park"),
        ("U024BE7LH", TargetKind.PERSON, "U024BE7LH"),
        ("schedule:primary", TargetKind.SCHEDULE, "primary"),
        ("group:S0614TZR7", TargetKind.GROUP, "S0614TZR7"),
        ("group:@ops", TargetKind.GROUP, "@ops"),
        ("#ops", TargetKind.CHANNEL, "ops"),
        ("#운영", TargetKind.CHANNEL, "운영"),
        ("apprise:sms", TargetKind.APPRISE, "sms"),
    ],
)
def test_a_target_is_written_as_it_is_read(text: str, kind: TargetKind, name: str) -> None:
    assert parse_target(text) == Target(kind, name)
    assert str(parse_target(text)) == text


@pytest.mark.parametrize(
    "text", ["ops", "@", "@a b", "#", "#A B", "#Ops", "group:ops", "schedule:", "person:x", "<@U1>"]
)
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_target(text)
