"""Context: what may be behind an alert, and what it may be behind (alerts.md, Context and forecast)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alerts.correlation import CauseKind, context_of, deployment_before, standing, touching
from bot.domain.alerts.failed_runs import deployment_of
from bot.domain.alerts.happenings import ChangeKind, Happening
from bot.domain.alerts.model import Alert, Condition, Status, Subject
from bot.domain.alerts.together import Together, fired_together
from bot.domain.labels import Service, Services
from bot.domain.levels import Level
from tests.factories import T0, alert, at

SHOP = Services(
    (
        Service("shop", depends_on=("api", "cache")),
        Service("api", depends_on=("db",)),
        Service("db", depends_on=("storage",)),
        Service("cache"),
    )
)
RING = Services(
    (Service("a", depends_on=("b",)), Service("b", depends_on=("c",)), Service("c", depends_on=("a",)))
)


def firing(number: int, seconds: float, service: str = "", target: str = "", **labels: str) -> Alert:
    """An open alert of its own target, unless it is given one."""
    where = target or f"t{number}"
    named = {"service": service} if service else {}
    return alert(
        id=number,
        status=Status.FIRING,
        subject=Subject("test", f"cpu:{where}", "cpu_usage", where, Condition.THRESHOLD),
        labels={**named, **labels},
        detected_at=at(seconds - 30),
        fired_at=at(seconds),
    )


def change(
    number: int, seconds: float, service: str = "", target: str = "", environment: str = ""
) -> Happening:
    return Happening(
        at=at(seconds),
        kind=ChangeKind.DEPLOY,
        service=service,
        environment=environment,
        target=target,
        id=number,
    )


def test_same_resource_the_earlier_alert_is_the_cause_and_the_later_an_effect() -> None:
    own = firing(2, 100, target="web-1")
    others = [own, firing(1, 40, target="web-1"), firing(3, 160, target="web-1"), firing(4, 0)]
    context = context_of(own, others)
    assert [(cause.kind, cause.alert_id) for cause in context.causes] == [(CauseKind.SAME_RESOURCE, 1)]
    assert context.causes[0].evidence == {"resource": "web-1", "minutes": 1}
    assert context.probable == context.causes[0]
    assert (context.effects, context.first_effects) == (1, (3,))


@pytest.mark.parametrize("label", ["host", "instance"])
def test_same_resource_is_also_the_same_machine(label: str) -> None:
    own, other = firing(2, 100, target="web-1:/data"), firing(1, 40, target="web-1:eth0")
    assert context_of(own, [other]).causes == ()
    own, other = (
        firing(2, 100, target="web-1:/data", **{label: "web-1"}),
        firing(1, 40, target="web-1:eth0", **{label: "web-1"}),
    )
    assert context_of(own, [other]).causes[0].evidence["resource"] == "web-1"


def test_dependency_is_followed_all_the_way_and_the_most_upstream_is_probable() -> None:
    own = firing(9, 100, "shop")
    others = [firing(1, 90, "api"), firing(2, 95, "db"), firing(3, 20, "cache"), firing(4, 120, "storage")]
    context = context_of(own, others, services=SHOP)
    assert [(cause.alert_id, cause.upstream) for cause in context.causes] == [(4, 3), (2, 2), (3, 1), (1, 1)]
    assert {cause.kind for cause in context.causes} == {CauseKind.DEPENDENCY}
    assert context.probable is not None
    assert context.probable.alert_id == 4
    assert context.probable.evidence["path"] == ["shop", "api", "db", "storage"]


def test_of_two_equally_upstream_the_earliest_is_probable() -> None:
    context = context_of(
        firing(9, 100, "shop"), [firing(1, 90, "api"), firing(2, 20, "cache")], services=SHOP
    )
    assert context.probable is not None
    assert context.probable.alert_id == 2


def test_a_dependency_noticed_much_later_is_no_cause() -> None:
    own = firing(9, 100, "shop")
    assert context_of(own, [firing(1, 100 + 290, "db")], services=SHOP).causes
    assert not context_of(own, [firing(1, 100 + 310, "db")], services=SHOP).causes


def test_effects_are_the_alerts_of_all_dependants_and_are_folded() -> None:
    own = firing(1, 0, "db")
    others = [firing(number, number, "shop" if number % 2 else "api") for number in range(2, 20)]
    context = context_of(own, [own, *others], services=SHOP)
    assert (context.causes, context.effects) == ((), 18)
    assert context.first_effects == (2, 3, 4, 5, 6)


def test_rings_do_no_harm() -> None:
    own = firing(1, 100, "a")
    context = context_of(own, [firing(2, 90, "b"), firing(3, 95, "c"), firing(4, 80, "a")], services=RING)
    assert [(cause.alert_id, cause.upstream) for cause in context.causes] == [(3, 2), (2, 1)]
    assert context.probable is not None
    assert context.probable.alert_id == 3


@pytest.mark.parametrize(
    ("seconds", "where", "named"),
    [
        (-31, {"service": "shop"}, True),
        (-30 * 60 - 31, {"service": "shop"}, False),  # more than half an hour before
        (20, {"service": "shop"}, False),  # afterwards
        (-60, {"service": "other"}, False),
        (-60, {"service": "db"}, True),  # something that it depends on
        (-60, {"target": "t9"}, True),
        (-60, {"target": "elsewhere"}, False),
        (-60, {"environment": "test"}, True),
        (-60, {}, True),
        (-60, {"environment": "staging", "service": "shop"}, False),
        (-60, {"service": "shop", "target": "elsewhere"}, True),
    ],
)
def test_change_of_the_last_half_hour_that_touches_it(
    seconds: float, where: dict[str, str], named: bool
) -> None:
    own = firing(9, 30, "shop")
    happened = change(5, seconds, **where)
    context = context_of(own, [], [happened], SHOP)
    assert [cause.change_id for cause in context.causes] == ([5] if named else [])
    assert touching(own, [happened], SHOP) == ((happened,) if named else ())


def test_the_latest_deployment_of_the_environment_is_shown_whatever_service_it_was_of() -> None:
    own = firing(9, 2000, "shop")
    first, last = change(1, 600, "pay", environment="test"), change(2, 1200, "mail", environment="test")
    settings = replace(change(3, 1500, environment="test"), kind=ChangeKind.CONFIG)
    assert touching(own, [first, last], SHOP) == ()
    assert deployment_before(own, [first, last, settings]) == last


@pytest.mark.parametrize(
    ("seconds", "environment"), [(1971, "test"), (1970 - 1801, "test"), (1900, "staging"), (1900, "")]
)
def test_a_deployment_that_came_later_or_was_elsewhere_is_not_shown(seconds: int, environment: str) -> None:
    assert deployment_before(firing(9, 2000), [change(1, seconds, "shop", environment=environment)]) is None


def moved(number: int, seconds: float, operation: int, event: str, service: str = "shop") -> Happening:
    """What one of our own deployments did."""
    kind = ChangeKind.ROLLBACK if event == "back" else ChangeKind.DEPLOY
    its = change(number, seconds, service, environment="test")
    return replace(its, kind=kind, facts={"operation": operation, "event": event})


def test_a_deployment_that_goes_on_is_named_as_it_stands_by_now() -> None:
    own = firing(9, 2000, "shop")
    began, done = moved(1, 1900, 7, "traffic"), moved(2, 2050, 7, "complete")
    (found,) = standing(own, [done, began])
    assert (found.id, found.at, found.facts["event"]) == (1, began.at, "complete")
    assert context_of(own, [], [found], SHOP).causes[0].change_id == 1
    assert deployment_before(own, [found]) == found


HOURS_AGO = 1970 - 3 * 3600


@pytest.mark.parametrize(
    ("later", "named"),
    [
        ((), 1),
        ((moved(2, 2050, 7, "traffic"),), 1),
        ((moved(2, 2050, 7, "complete"),), 1),
        ((moved(2, 2050, 7, "back"),), None),
        ((moved(2, HOURS_AGO + 60, 7, "complete"),), None),
        ((moved(2, HOURS_AGO + 60, 7, "back"),), None),
    ],
)
def test_a_canary_that_is_held_for_hours_is_a_deployment_all_the_while(
    later: tuple[Happening, ...], named: int | None
) -> None:
    own = firing(9, 2000, "shop")
    changes = standing(own, [*later, moved(1, HOURS_AGO, 7, "traffic")])
    found = deployment_before(own, changes)
    assert (found.id if found is not None else None) == named
    assert [each.id for each in touching(own, changes, SHOP)] == ([] if named is None else [named])
    causes = context_of(own, [], changes, SHOP).causes
    assert [cause.evidence["minutes"] for cause in causes] == ([] if named is None else [180])


@pytest.mark.parametrize(
    ("later", "named"),
    [
        (moved(2, 1950, 7, "back"), 2),
        (moved(2, 1950, 8, "traffic"), 2),
        (moved(2, 2050, 7, "back"), None),
        (moved(2, 2050, 8, "traffic"), None),
        (replace(moved(2, 2050, 8, "traffic"), facts={}), None),
        (moved(2, 2050, 8, "traffic", "pay"), 1),
        (replace(moved(2, 2050, 8, "traffic"), environment="staging"), 1),
    ],
)
def test_a_deployment_that_is_off_again_is_no_cause_and_is_not_named(
    later: Happening, named: int | None
) -> None:
    own = firing(9, 2000, "shop")
    changes = standing(own, [later, moved(1, 1900, 7, "traffic")])
    context = context_of(own, [], changes, SHOP)
    found = deployment_before(own, changes, context)
    assert (found.id if found is not None else None) == named
    assert [cause.change_id for cause in context.causes] == ([] if named is None else [named])


def failed(number: int, seconds: float, run: int, service: str = "shop") -> Alert:
    """An alert about a run that failed then."""
    about = Subject("test", f"operation:test/{service}", "operation", f"test/{service}", Condition.FAILED_RUN)
    known = firing(number, seconds, service, operation="deploy")
    return known._replace(subject=about, facts={"operation": f"#{run}"}, last_at=known.detected_at)


def test_no_deployment_is_the_cause_of_what_another_one_ran_into() -> None:
    earlier = moved(1, 1960, 6, "complete")
    assert [each.change_id for each in context_of(firing(9, 2000, "shop"), [], [earlier], SHOP).causes] == [1]
    assert context_of(failed(9, 2000, 7), [], [earlier], SHOP).causes == ()
    assert touching(failed(9, 2000, 7), [earlier], SHOP) == ()


@pytest.mark.parametrize(("later", "found"), [(1790, [2]), (1810, [])])
def test_a_run_that_failed_long_ago_is_behind_nothing(later: int, found: list[int]) -> None:
    own = firing(9, 1000 + later, "shop", "test/shop")
    assert [each.alert_id for each in context_of(own, [failed(2, 1000, 7)]).causes] == found


def test_an_alert_about_a_run_names_what_that_one_did_also_when_it_was_later() -> None:
    back = moved(3, 2300, 8, "back")
    own = failed(9, 2000, 8)
    assert deployment_of(own, [back, moved(2, 2200, 8, "traffic"), moved(1, 1960, 7, "back")]) == back
    assert deployment_of(own, [moved(1, 1960, 7, "back")]) is None
    assert deployment_of(firing(9, 2000, "shop"), [back, change(4, 1960, "shop")]) is None


def test_the_deployment_that_is_named_is_the_one_that_may_be_the_cause() -> None:
    own = firing(9, 2000, "shop")
    changes = standing(own, [moved(1, 1800, 7, "complete"), moved(2, 1900, 8, "complete", "mail")])
    context = context_of(own, [], changes, SHOP)
    assert [cause.change_id for cause in context.causes] == [1]
    found = deployment_before(own, changes, context)
    assert found is not None
    assert found.id == 1


def test_candidates_come_in_the_order_of_the_rules() -> None:
    own = firing(9, 1000, "shop", target="web-1")
    others = [firing(1, 900, target="web-1"), firing(2, 990, "db"), firing(3, 400)]
    pairs = {frozenset((own.subject.key, others[2].subject.key)): Together(7, 4.0)}
    context = context_of(own, others, [change(5, 600, service="shop")], SHOP, pairs)
    assert [cause.kind for cause in context.causes] == list(CauseKind)
    assert context.probable is not None
    assert context.probable.alert_id == 2, "the most upstream"
    without = context_of(own, [others[0]], [change(5, 600, service="shop")], SHOP, pairs)
    assert without.probable is not None
    assert without.probable.change_id == 5, "then the earliest"


def test_together_the_earlier_one_is_the_cause() -> None:
    first, second = firing(1, 0), firing(2, 60)
    pairs = {frozenset((first.subject.key, second.subject.key)): Together(7, 12.34)}
    found = context_of(second, [first], pairs=pairs)
    assert found.causes[0].evidence == {"times": 7, "lift": 12.3, "minutes": 1}
    assert context_of(first, [second], pairs=pairs).first_effects == (2,)


def test_what_is_over_or_elsewhere_explains_nothing() -> None:
    own = firing(2, 100, target="web-1")
    over = alert(id=1, status=Status.RESOLVED, subject=own.subject, fired_at=at(0))
    elsewhere = alert(
        id=3,
        subject=Subject("staging", "cpu:web-1", "cpu_usage", "web-1", Condition.THRESHOLD),
        fired_at=at(0),
    )
    assert context_of(own, [over, elsewhere]).causes == ()


def test_ten_thousand_alerts_are_gone_through_once() -> None:
    own = firing(1, 0, "db", level="x")
    others = [firing(number, number, "shop") for number in range(2, 10_002)]
    assert context_of(own, others, services=SHOP).effects == 10_000


DAY = timedelta(days=1)


def test_five_times_together_with_a_lift_of_three_is_a_pair() -> None:
    firings = [
        (key, T0 + DAY * day + timedelta(minutes=4 if key == "b" else 0)) for day in range(5) for key in "ab"
    ]
    pairs = fired_together(firings)
    assert list(pairs) == [frozenset("ab")]
    found = pairs[frozenset("ab")]
    assert found.times == 5
    assert found.lift == pytest.approx(5 * 30 * 24 * 60 / (5 * 5 * 10))
    assert fired_together(firings[:-2]) == {}, "four times are not enough"
    apart = [(key, at + timedelta(minutes=2 if key == "b" else 0)) for key, at in firings]
    assert fired_together(apart) == {}, "more than five minutes apart"


def test_what_fires_all_the_time_is_no_pair_of_anything() -> None:
    often = [("a", T0 + timedelta(minutes=15 * index)) for index in range(30 * 96)]
    rare = [("b", T0 + DAY * day + timedelta(minutes=3)) for day in range(6)]
    assert fired_together([*often, *rare]) == {}


def test_in_a_crowd_nothing_is_learnt() -> None:
    storm = [(f"k{key}", T0 + DAY * day) for day in range(6) for key in range(60)]
    assert fired_together(storm) == {}


def test_one_long_burst_counts_each_firing_once() -> None:
    burst = [("a", T0 + timedelta(seconds=30 * index)) for index in range(10)]
    pairs = fired_together([*burst, *(("b", T0 + DAY * day) for day in range(5))])
    assert pairs == {}, "b met it on one day only"


def test_levels_do_not_matter_for_identity() -> None:
    assert firing(1, 0).subject.key == alert(id=2, subject=firing(1, 0).subject, level=Level.INFO).subject.key
