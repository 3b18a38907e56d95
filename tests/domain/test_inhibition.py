"""An alert that explains others mutes them; what has no fresh data mutes nothing, nor does a ring."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts.covers import CoverKind
from bot.domain.inhibition import FRESH, REPORT_LASTS, Inhibition, InhibitRule, Standing, inhibiting
from bot.domain.labels import Service, Services
from bot.domain.levels import Level
from bot.domain.matcher_notation import parse
from tests.factories import T0, at

SERVICES = Services(
    (
        Service("database"),
        Service("cache", depends_on=("database",)),
        Service("shop", depends_on=("cache",)),
        Service("mail"),
    )
)


def standing(
    number: int, service: str = "", level: Level = Level.CRITICAL, since: float = 0, **labels: str
) -> Standing:
    known = {"environment": "production", **({"service": service} if service else {}), **labels}
    return Standing(f"key-{number}", number, known, level, at(since), at(since))


def muted(inhibition: Inhibition, alert: Standing, seconds: float = 0) -> int | None:
    source = inhibition.muted_by(alert, at(seconds))
    return None if source is None else source.id


DATABASE = standing(1, "database")


@pytest.mark.parametrize(
    ("source", "target", "by"),
    [
        (DATABASE, standing(2, "shop"), 1),
        (DATABASE, standing(2, "cache"), 1),
        (DATABASE, standing(2, "shop", Level.EMERGENCY), 1),
        (DATABASE, standing(2, "mail"), None),
        (DATABASE, standing(2), None),
        (DATABASE, standing(2, "database"), None),
        (DATABASE, standing(2, "shop", environment="staging"), None),
        (standing(1, "shop"), standing(2, "database"), None),
        (replace(DATABASE, level=Level.ERROR), standing(2, "shop"), None),
        (replace(DATABASE, level=Level.EMERGENCY), standing(2, "shop"), 1),
        (replace(DATABASE, measured=False), standing(2, "shop"), None),
        (replace(DATABASE, is_state=False), standing(2, "shop"), None),
        (DATABASE, replace(standing(2, "shop"), is_state=False), None),
        (DATABASE, replace(standing(2, "shop"), key="key-1"), None),
    ],
)
def test_what_a_service_depends_on_mutes_it(source: Standing, target: Standing, by: int | None) -> None:
    inhibition = Inhibition(SERVICES)
    inhibition.put(source)
    assert muted(inhibition, target) == by


def test_a_source_without_fresh_data_mutes_nothing() -> None:
    inhibition = Inhibition(SERVICES)
    inhibition.put(DATABASE)
    shop, late = standing(2, "shop"), FRESH.total_seconds()
    assert muted(inhibition, shop, late) == 1
    assert muted(inhibition, shop, late + 1) is None
    assert inhibition.goes_stale_at(at(10)) == T0 + FRESH
    assert inhibition.goes_stale_at(at(late + 1)) is None
    inhibition.put(replace(DATABASE, last_at=at(60)))
    assert muted(inhibition, shop, late + 1) == 1


def test_the_word_of_a_source_that_others_report_holds_until_they_say_it_again() -> None:
    inhibition = Inhibition(SERVICES)
    inhibition.put(replace(DATABASE, lasts=REPORT_LASTS))
    shop, late = standing(2, "shop"), REPORT_LASTS.total_seconds()
    assert late > 4 * 3600, "Alertmanager says it again every four hours"
    assert muted(inhibition, shop, late) == 1
    assert muted(inhibition, shop, late + 1) is None
    assert inhibition.goes_stale_at(at(10)) == T0 + REPORT_LASTS
    inhibition.put(DATABASE)
    assert inhibition.goes_stale_at(at(10)) == T0 + FRESH


def test_what_is_over_or_milder_mutes_nothing() -> None:
    inhibition = Inhibition(SERVICES)
    inhibition.put(DATABASE)
    inhibition.put(replace(DATABASE, level=Level.WARNING))
    assert muted(inhibition, standing(2, "shop")) is None
    inhibition.put(DATABASE)
    inhibition.take("key-1")
    inhibition.take("nobody")
    assert muted(inhibition, standing(2, "shop")) is None
    assert inhibition.is_empty


def test_of_several_the_most_upstream_is_named() -> None:
    inhibition = Inhibition(SERVICES)
    inhibition.put(standing(5, "cache"))
    inhibition.put(standing(6, "database", since=60))
    inhibition.put(standing(7, "database", since=90))
    assert muted(inhibition, standing(9, "shop"), 90) == 6
    assert muted(inhibition, standing(5, "cache"), 90) == 6
    assert muted(inhibition, standing(6, "database"), 90) is None


RULE = InhibitRule(parse("metric=reachable, level>=critical"), parse("metric=response_time"), ("target",))


@pytest.mark.parametrize(
    ("labels", "by"),
    [
        ({"metric": "response_time", "target": "shop"}, 1),
        ({"metric": "response_time", "target": "mail"}, None),
        ({"metric": "cpu_usage", "target": "shop"}, None),
        ({"metric": "response_time"}, None),
    ],
)
def test_a_rule_of_the_configuration(labels: dict[str, str], by: int | None) -> None:
    inhibition = Inhibition(rules=(RULE,))
    inhibition.put(standing(1, metric="reachable", target="shop"))
    inhibition.put(standing(2, level=Level.ERROR, metric="reachable", target="mail"))
    assert muted(inhibition, replace(standing(3), labels=labels)) == by


def test_labels_that_both_lack_are_equal() -> None:
    inhibition = Inhibition(rules=(InhibitRule(parse("a=1"), parse("a=2"), ("rack",)),))
    inhibition.put(standing(1, a="1"))
    assert muted(inhibition, standing(2, a="2")) == 1
    assert muted(inhibition, standing(2, a="2", rack="x")) is None


def both(*numbers: int) -> Inhibition:
    """Rules by which everything mutes everything, and those alerts."""
    inhibition = Inhibition(SERVICES, (InhibitRule(parse("level>=critical"), parse("level>=critical")),))
    for number in numbers:
        inhibition.put(standing(number, since=number))
    return inhibition


def test_of_two_that_would_mute_each_other_the_earlier_stays() -> None:
    inhibition = both(2, 1)
    assert muted(inhibition, standing(1, since=1), 2) is None
    assert muted(inhibition, standing(2, since=2), 2) == 1


def test_of_two_that_would_mute_each_other_the_more_upstream_stays() -> None:
    inhibition = both()
    shop, database = standing(1, "shop"), standing(2, "database", since=60)
    inhibition.put(shop)
    inhibition.put(database)
    assert muted(inhibition, database, 60) is None
    assert muted(inhibition, shop, 60) == 2


def test_in_a_ring_of_three_one_stays() -> None:
    rules = tuple(InhibitRule(parse(f"a={n}"), parse(f"a={(n + 1) % 3}")) for n in range(3))
    inhibition = Inhibition(rules=rules)
    alerts = [standing(n + 1, since=n, a=str(n)) for n in range(3)]
    for alert in alerts:
        inhibition.put(alert)
    assert [muted(inhibition, alert, 3) for alert in alerts] == [None, 1, 2]


def test_a_later_source_mutes_what_is_in_no_ring_with_it() -> None:
    inhibition = Inhibition(rules=(RULE,))
    slow = standing(1, metric="response_time", target="shop")
    inhibition.put(slow)
    inhibition.put(standing(2, since=60, metric="reachable", target="shop"))
    assert muted(inhibition, slow, 60) == 2


def test_figures_alone_are_no_change() -> None:
    inhibition = Inhibition(SERVICES)
    inhibition.put(DATABASE)
    before = inhibition.changes
    inhibition.put(replace(DATABASE, last_at=at(15)))
    inhibition.put(standing(9, "mail"))
    assert inhibition.changes == before
    inhibition.put(replace(DATABASE, measured=False))
    assert inhibition.changes > before


def test_the_cover_names_the_alert_and_its_service() -> None:
    cover = inhibiting(DATABASE, Level.ERROR)
    assert (cover.kind, cover.ref, cover.why, cover.until) == (CoverKind.INHIBITED, "1", "database", None)


ALERTS = st.lists(
    st.builds(
        lambda number, a, since, service, level: standing(number, service, level, since, a=a),
        st.integers(1, 6),
        st.sampled_from("xyz"),
        st.integers(0, 5),
        st.sampled_from(["database", "cache", "shop", "mail", ""]),
        st.sampled_from([Level.ERROR, Level.CRITICAL]),
    ),
    max_size=6,
    unique_by=lambda alert: alert.key,
)
RULES = st.lists(
    st.builds(
        lambda source, target: InhibitRule(parse(f"a={source}"), parse(f"a={target}")),
        st.sampled_from("xyz"),
        st.sampled_from("xyz"),
    ),
    max_size=4,
)


@given(ALERTS, RULES)
def test_somebody_always_stays_and_each_chain_ends_with_one_that_does(
    alerts: list[Standing], rules: list[InhibitRule]
) -> None:
    inhibition = Inhibition(SERVICES, tuple(rules))
    for alert in alerts:
        inhibition.put(alert)
    by = {alert.id: muted(inhibition, alert, 10) for alert in alerts}
    assert not alerts or None in by.values()
    for number in by:
        chain = [number]
        while (above := by[chain[-1]]) is not None:
            assert above not in chain
            chain.append(above)


def test_ten_thousand_alerts_are_judged_quickly() -> None:
    inhibition = Inhibition(SERVICES, (RULE,))
    inhibition.put(DATABASE)
    alerts = [standing(number, "shop", target=str(number)) for number in range(2, 10_002)]
    for alert in alerts:
        inhibition.put(alert)
    assert all(inhibition.muted_by(alert, T0 + timedelta(seconds=1)) is DATABASE for alert in alerts)
