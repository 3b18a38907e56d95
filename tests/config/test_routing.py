"""services, policies, routes, inhibit, maintenance: what they become, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.config import ConfigProblem, Settings
from bot.config.around import inhibit_rules_of, policies_of, routes_of, services_of, windows_of
from bot.domain.alerts.ladder import DEFAULT_ACK_EXPIRES, DEFAULT_LADDERS, Rung, Target, TargetKind
from bot.domain.levels import Level
from bot.domain.maintenance import Once, Weekly

Loading = Callable[[str], Settings]
Refusing = Callable[[str], Sequence[ConfigProblem]]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def test_without_a_configuration_everything_goes_to_the_alerts_channel(loaded: Loading) -> None:
    routes = routes_of(loaded("slack: {alerts_channel: ops}"))
    route = routes.route({"service": "shop"}, Level.CRITICAL)
    assert (route.channel, route.name, route.policy.name) == ("ops", "default", "default")
    assert route.policy.tiers == ((Target(TargetKind.CHANNEL, "ops"),),)
    assert route.policy.ladders == DEFAULT_LADDERS


def test_a_policy_differs_from_the_design_only_where_it_says_so(loaded: Loading) -> None:
    policies = policies_of(
        loaded("""
policies:
  default: {tiers: [["@a"], ["#ops", "U024BE7LH"]]}
  night:
    ladders:
      critical: {rounds: 5, every: null}
      warning: {steps: []}
      error: {steps: [{after: 0s, tiers: [1]}], pause: 10m}
    ack_expires: {error: 1h}
""")
    )
    assert [len(tier) for tier in policies["default"].tiers] == [1, 2]
    night = policies["night"]
    critical = night.ladders[Level.CRITICAL]
    assert (critical.rounds, critical.every) == (5, None)
    assert critical.rungs == DEFAULT_LADDERS[Level.CRITICAL].rungs
    assert night.ladders[Level.WARNING].rungs == ()
    error = night.ladders[Level.ERROR]
    assert (error.rungs, error.pause, error.every) == ((Rung(minutes(0), (1,)),), minutes(10), minutes(60))
    assert night.ladders[Level.EMERGENCY] == DEFAULT_LADDERS[Level.EMERGENCY]
    assert night.ack_expires == {**DEFAULT_ACK_EXPIRES, Level.ERROR: minutes(60)}


def test_routes_keep_their_order_and_what_they_leave_out_is_the_default(loaded: Loading) -> None:
    routes = routes_of(
        loaded("""
policies: {night: {tiers: [["@a"]]}}
routes:
  - {name: loud, match: "service=shop, level>=critical", channel: "#loud", policy: night}
  - {name: shop, match: service=shop}
""")
    )
    loud, quiet = (routes.route({"service": "shop"}, level) for level in (Level.CRITICAL, Level.INFO))
    assert (loud.name, loud.channel, loud.policy.name) == ("loud", "loud", "night")
    assert (quiet.name, quiet.channel, quiet.policy.name) == ("shop", "guardian-alerts", "default")


def test_services(loaded: Loading) -> None:
    services = services_of(
        loaded("""
name: web-1
services:
  database: {targets: ["db-*"], labels: {team: data}}
  shop: {targets: ["/data"], depends_on: [database]}
""")
    )
    shop = services.of("disk", "web-1:/data")
    assert shop is not None
    assert (shop.name, services.above("shop")) == ("shop", frozenset({"database"}))


def test_windows(loaded: Loading) -> None:
    once, weekly, utc = windows_of(
        loaded("""
maintenance:
  - {name: a, match: service=shop, from: 2026-03-01 22:00, until: 2026-03-02 02:00}
  - {name: b, match: "*", days: [sat, 일], hours: 22:00-02:00, timezone: America/New_York, reason: backup}
  - {name: c, match: "*", from: "2026-03-01T22:00+00:00", until: "2026-03-02T02:00Z"}
""")
    )
    assert once.times == Once(datetime(2026, 3, 1, 13, tzinfo=UTC), datetime(2026, 3, 1, 17, tzinfo=UTC))
    assert isinstance(weekly.times, Weekly)
    assert (weekly.times.days, str(weekly.times.zone), weekly.reason) == (
        frozenset({5, 6}),
        "America/New_York",
        "backup",
    )
    assert isinstance(utc.times, Once)
    assert utc.times.starts_at == datetime(2026, 3, 1, 22, tzinfo=UTC)


def test_inhibitions(loaded: Loading) -> None:
    (rule,) = inhibit_rules_of(loaded("inhibit: [{source: a=1, target: a=2, equal: [rack]}]"))
    assert (str(rule.source), str(rule.target), rule.equal) == ("a=1", "a=2", ("rack",))


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("routes: [{name: a, match: shop}]", "routes[0].match", "matcher_no_condition"),
        ("routes: [{name: a, match: 'a=~('}]", "routes[0].match", "matcher_expression"),
        ("routes: [{name: a, match: ''}]", "routes[0].match", "matcher_empty"),
        ("routes: [{name: a}]", "routes[0].match", "missing"),
        ("routes: [{match: a=b}]", "routes[0].name", "missing"),
        ("routes: [{name: a, match: a=b, policy: nigth}]", "routes[0].policy", "unknown_policy"),
        ("routes: [{name: a, match: a=b, channel: A B}]", "routes[0].channel", "channel"),
        ("routes: [{name: a, match: a=b}, {name: a, match: a=c}]", "routes[1].name", "name_twice"),
        ("routes: [{name: a, match: '*'}, {name: b, match: a=c}]", "routes[1]", "route_unreachable"),
        ("routes: [{name: a, match: target=~.*}, {name: b, match: a=c}]", "routes[1]", "route_unreachable"),
        ("routes: [{name: a, match: 'a=b'}, {name: b, match: ' a = b '}]", "routes[1]", "route_unreachable"),
        ("policies: {n: {tiers: [[ops]]}}", "policies.n.tiers[0][0]", "escalation_target"),
        ("policies: {n: {tiers: [['schedule:x']]}}", "policies.n.tiers[0][0]", "unknown_schedule"),
        ("policies: {n: {tiers: [['apprise:x']]}}", "policies.n.tiers[0][0]", "unknown_apprise"),
        ("policies: {n: {tiers: [[]]}}", "policies.n.tiers[0]", "list_empty"),
        ("policies: {n: {tiers: [['@a'],['@a'],['@a'],['@a']]}}", "policies.n.tiers", "list_too_long"),
        (
            "policies: {n: {tiers: [['@a']], ladders: {error: {steps: [{after: 1m, tiers: [2]}]}}}}",
            "policies.n.ladders.error.steps[0].tiers[0]",
            "unknown_tier",
        ),
        (
            "policies: {n: {ladders: {error: {steps: [{after: 2m, tiers: [1]}, {after: 1m, tiers: [1]}]}}}}",
            "policies.n.ladders.error",
            "steps_order",
        ),
        ("policies: {n: {ladders: {eror: {rounds: 1}}}}", "policies.n.ladders.eror", "unknown_key"),
        ("policies: {n: {ladders: {error: {rounds: 0}}}}", "policies.n.ladders.error.rounds", "number_low"),
        (
            "policies: {n: {ladders: {error: {every: 1s}}}}",
            "policies.n.ladders.error.every",
            "duration_range",
        ),
        ("policies: {n: {ack_expires: {error: 8d}}}", "policies.n.ack_expires.error", "duration_range"),
        ("services: {a: {depends_on: [b]}}", "services.a.depends_on[0]", "unknown_service"),
        ("services: {a: {depends_on: [a]}}", "services.a.depends_on", "service_ring"),
        ("services: {a: {backends: [shop]}}", "services.a.backends[0]", "unknown_backend"),
        ("services: {a: {probes: [cpuu]}}", "services.a.probes[0]", "unknown_probe"),
        ("services: {a: {environment: production}}", "services.a.environment", "unknown_environment"),
        ("services: {a: {labels: {target: x}}}", "services.a.labels.target", "label_reserved"),
        ("services: {a: {labels: {a b: x}}}", 'services.a.labels["a b"]', "text_pattern"),
        ("inhibit: [{source: a=1}]", "inhibit[0].target", "missing"),
        ("inhibit: [{source: '*', target: level>=info}]", "inhibit[0]", "inhibits_everything"),
        ("inhibit: [{source: a=1, target: a=2, equal: ['a b']}]", "inhibit[0].equal[0]", "text_pattern"),
        ("inhibit: [{source: 'a=1, a=2', target: b=1}]", "inhibit[0].source", "matcher_contradiction"),
        (
            "inhibit: [{source: a=1, target: 'level>=critical, level<=error'}]",
            "inhibit[0].target",
            "matcher_contradiction",
        ),
        (
            "routes: [{name: a, match: '*'}, {name: b, match: 'service=a, service=~b.*'}]",
            "routes[1].match",
            "matcher_contradiction",
        ),
        ("maintenance: [{name: a, match: '*'}]", "maintenance[0]", "window_times"),
        (
            "maintenance: [{name: a, match: 'a=b, a=c', hours: 22:00-23:00}]",
            "maintenance[0].match",
            "matcher_contradiction",
        ),
        ("maintenance: [{name: a, match: '*', days: [mon]}]", "maintenance[0]", "window_times"),
        ("maintenance: [{name: a, match: '*', from: 2026-03-01 22:00}]", "maintenance[0]", "window_times"),
        (
            "maintenance: [{name: a, match: '*', from: 2026-03-02 22:00, until: 2026-03-01 22:00}]",
            "maintenance[0]",
            "window_order",
        ),
        (
            "maintenance: [{name: a, match: '*', from: soon, until: 2026-03-01 22:00}]",
            "maintenance[0].from",
            "window_moment",
        ),
        ("maintenance: [{name: a, match: '*', hours: 22}]", "maintenance[0].hours", "hours_of_day"),
        (
            "maintenance: [{name: a, match: '*', hours: 22:00-23:00, timezone: X}]",
            "maintenance[0].timezone",
            "timezone",
        ),
    ],
)
def test_it_refuses(refused: Refusing, text: str, place: str, code: str) -> None:
    assert (place, code) in [(problem.path, problem.code) for problem in refused(text)]


def test_rings_of_services_are_told_once_with_the_way_round(refused: Refusing) -> None:
    (problem,) = refused("""\
services:
  a: {depends_on: [b]}
  b: {depends_on: [c]}
  c: {depends_on: [a]}
  d: {depends_on: [a]}
""")
    assert (problem.code, problem.line, problem.values["text"]) == ("service_ring", 2, "a → b → c → a")


def test_all_of_it_is_told_at_once_with_lines(refused: Refusing) -> None:
    problems = refused("""\
services:
  shop:
    depends_on: [databse]
  database: {}
policies:
  night:
    tiers: [["schedule:primry"], [ops]]
schedules:
  primary: {rotations: [{people: ["@a"], every: weekly, start: 2026-01-05}]}
routes:
  - name: all
    match: "*"
  - name: never
    match: service=shop
    policy: nigt
  - {name: bad}
maintenance:
  - {match: "x", hours: soon}
store: {url: "mysql://x"}
""")
    told = sorted((problem.line or 0, problem.path, problem.code) for problem in problems)
    assert told == sorted([
        (3, "services.shop.depends_on[0]", "unknown_service"),
        (7, "policies.night.tiers[0][0]", "unknown_schedule"),
        (7, "policies.night.tiers[1][0]", "escalation_target"),
        (13, "routes[1]", "route_unreachable"),
        (15, "routes[1].policy", "unknown_policy"),
        (16, "routes[2]", "route_unreachable"),
        (16, "routes[2].match", "missing"),
        (18, "maintenance[0].name", "missing"),
        (18, "maintenance[0].match", "matcher_no_condition"),
        (18, "maintenance[0].hours", "hours_of_day"),
        (19, "store.url", "database_url"),
    ])  # fmt: skip
    named = {problem.path: problem.values.get("nearest") for problem in problems}
    assert named["services.shop.depends_on[0]"] == "database"
    assert named["policies.night.tiers[0][0]"] == "primary"
    assert named["routes[1].policy"] == "night"
