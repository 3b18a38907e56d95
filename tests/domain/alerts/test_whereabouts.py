"""To which environment's deployments an alert belongs."""

from __future__ import annotations

import pytest

from bot.domain.alerts.correlation import context_of, deployment_before, touching
from bot.domain.alerts.happenings import ChangeKind, Happening
from bot.domain.alerts.model import Alert, Condition, Subject
from bot.domain.alerts.whereabouts import Whereabouts
from bot.domain.labels import Service, Services
from tests.factories import alert, at

SERVICES = Services((Service("shop"), Service("shop-staging", environment="staging")))
ONE = {"shop": ("production",)}
BOTH = {"shop": ("production", "staging")}
TRIAL = {"shop": ("staging",)}


def named(environment: str, service: str = "") -> Alert:
    """An alert that carries this environment, of a service where it is known."""
    return alert(
        subject=Subject(environment, "cpu:web-1", "cpu_usage", "web-1", Condition.THRESHOLD),
        labels={"service": service} if service else {},
        detected_at=at(600),
        fired_at=at(630),
    )


@pytest.mark.parametrize(
    ("own", "deployed", "carried", "met"),
    [
        # The same words.
        ("production", ONE, "production", {"production"}),
        ("production", BOTH, "production", {"production"}),
        ("staging", BOTH, "staging", {"staging"}),
        ("production", BOTH, "staging", {"staging"}),
        # Another word for the only environment.
        ("prod", ONE, "prod", {"production"}),
        ("production", TRIAL, "production", {"staging"}),
        # What names another environment belongs to that one alone.
        ("prod", ONE, "staging", set[str]()),
        ("prod", ONE, "production", {"production"}),
        ("production", ONE, "staging", set[str]()),
        ("production", TRIAL, "prod", set[str]()),
        # Several, and none of them is ours: nobody knows.
        ("prod", BOTH, "prod", set[str]()),
        # Something is deployed to ours, so the word means that.
        ("production", TRIAL | {"pay": ("production",)}, "production", set[str]()),
    ],
)
def test_an_alert_belongs_to_the_deployments_of_its_environment(
    own: str, deployed: dict[str, tuple[str, ...]], carried: str, met: set[str]
) -> None:
    where = Whereabouts(own, deployed)
    assert {name for name in deployed["shop"] if where.meets(named(carried), "shop", name)} == met


@pytest.mark.parametrize("service", ["shop-staging", "shop", ""])
def test_a_service_may_say_which_environment_its_alerts_belong_to(service: str) -> None:
    where = Whereabouts("production", BOTH, SERVICES)
    own = "staging" if service == "shop-staging" else "production"
    assert [name for name in BOTH["shop"] if where.meets(named("production", service), "shop", name)] == [own]
    # An alert from elsewhere says for itself.
    assert where.meets(named("staging", service), "shop", "staging")
    assert not where.meets(named("staging", service), "shop", "production")


def test_what_is_not_deployed_by_us_is_met_by_its_name() -> None:
    where = Whereabouts("prod", ONE)
    assert where.meets(named("prod"), "pay", "prod")
    assert not where.meets(named("prod"), "pay", "production")


@pytest.mark.parametrize(
    ("own", "deployed", "taken", "unmet"),
    [
        ("production", ONE, [], []),
        ("production", BOTH, [], []),
        ("prod", ONE, [("shop", "production")], []),
        ("prod", BOTH, [], ["shop"]),
        ("production", TRIAL | {"pay": ("production",)}, [], ["shop"]),
        ("prod", {}, [], []),
    ],
)
def test_what_cannot_be_put_together_is_known(
    own: str, deployed: dict[str, tuple[str, ...]], taken: list[tuple[str, str]], unmet: list[str]
) -> None:
    where = Whereabouts(own, deployed)
    assert (list(where.taken()), list(where.unmet())) == (taken, unmet)


def test_a_service_that_says_it_meets_them() -> None:
    assert list(Whereabouts("prod", BOTH, SERVICES).unmet()) == []


def test_a_deployment_to_the_only_environment_is_shown_under_another_name() -> None:
    where = Whereabouts("prod", ONE, SERVICES)
    deployed = Happening(at(0), ChangeKind.DEPLOY, "shop", "production", id=7)
    ours, elsewhere = named("prod", "shop"), named("staging", "shop")
    assert [each.change_id for each in context_of(ours, [], [deployed], SERVICES, {}, where).causes] == [7]
    assert touching(ours, [deployed], SERVICES, where) == (deployed,)
    assert deployment_before(ours, [deployed], None, where) == deployed
    assert deployment_before(named("prod"), [deployed], None, where) == deployed
    assert context_of(elsewhere, [], [deployed], SERVICES, {}, where).causes == ()
    assert touching(elsewhere, [deployed], SERVICES, where) == ()
    assert deployment_before(elsewhere, [deployed], None, where) is None


def test_what_is_no_deployment_names_environments_as_alerts_do() -> None:
    where = Whereabouts("production", BOTH, SERVICES)
    settings = Happening(at(0), ChangeKind.CONFIG, "", "production", "web-1", id=7)
    assert touching(named("production", "shop-staging"), [settings], SERVICES, where) == (settings,)
