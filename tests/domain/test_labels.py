"""Which labels an alert has, and which reported ones are taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.labels import LabelFault, LabelsRefused, Service, Services, cleaned, labels_of
from probes.base import Layer
from tests.factories import subject

SERVICES = Services(
    (
        Service("database", targets=("db-*",)),
        Service("cache", depends_on=("database",)),
        Service(
            "shop",
            targets=("web-*", "/data"),
            probes=("processes",),
            backends=("shop",),
            depends_on=("cache",),
            labels={"team": "store"},
        ),
    ),
    host="web-1",
)


def test_what_follows_from_the_subject() -> None:
    labels = labels_of(subject(), Layer.INFRASTRUCTURE, {}, SERVICES)
    assert labels == {
        "environment": "test",
        "layer": "infrastructure",
        "metric": "cpu_usage",
        "target": "web-1",
        "source": "cpu",
        "host": "web-1",
        "service": "shop",
        "team": "store",
    }


@pytest.mark.parametrize(
    ("source", "target", "service"),
    [
        ("cpu:web-1", "web-1", "shop"),
        ("cpu:web-2", "web-2", "shop"),
        ("disk:web-1", "web-1:/data", "shop"),
        ("disk:db-1", "db-1:/data", "database"),
        ("processes:x", "x", "shop"),
        ("response_time:shop", "shop", "shop"),
        ("cpu:mail-1", "mail-1", None),
    ],
)
def test_the_first_service_that_it_belongs_to(source: str, target: str, service: str | None) -> None:
    labels = labels_of(subject(target=target, source=source), None, {}, SERVICES)
    assert labels.get("service") == service


def test_a_reported_alerts_own_labels_come_before_the_services_and_behind_the_subjects() -> None:
    own = {"service": "shop", "team": "night", "metric": "other", "job": "backup"}
    labels = labels_of(subject(target="x"), Layer.BUSINESS, own, SERVICES)
    assert (labels["team"], labels["metric"], labels["job"]) == ("night", "cpu_usage", "backup")
    assert labels_of(subject(), None, {"service": "unknown"}, SERVICES)["service"] == "unknown"


def test_what_a_service_depends_on_at_any_number_of_steps() -> None:
    assert SERVICES.above("shop") == {"cache", "database"}
    assert SERVICES.above("database") == SERVICES.above("nobody") == frozenset()


@pytest.mark.parametrize(
    ("reported", "fault"),
    [
        ({"a b": "x"}, LabelFault.NAME),
        ({"1a": "x"}, LabelFault.NAME),
        ({"": "x"}, LabelFault.NAME),
        ({"a\x00": "x"}, LabelFault.NAME),
        ({"a" * 101: "x"}, LabelFault.NAME),
        ({"a": 1}, LabelFault.NOT_TEXT),
        ({"a": None}, LabelFault.NOT_TEXT),
        ({"a": "x" * 1001}, LabelFault.TOO_LONG),
        ({f"a{n}": "x" for n in range(65)}, LabelFault.TOO_MANY),
    ],
)
def test_it_refuses(reported: dict[str, object], fault: LabelFault) -> None:
    with pytest.raises(LabelsRefused) as caught:
        cleaned(reported)
    assert caught.value.fault is fault
    assert "\x00" not in str(caught.value)


def test_control_characters_become_blanks_and_empty_labels_are_left_out() -> None:
    reported = {"a": "x\x1b[2J\ny", "b": "\x00", "c": "", "level": "info", "d": "가\ud800나"}
    assert cleaned(reported) == {"a": "x [2J y", "d": "가 나"}
    assert len(cleaned({f"a{n}": "x" * 1000 for n in range(64)})) == 64


@given(
    st.dictionaries(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)) | st.integers())
)
def test_whatever_is_reported_is_refused_or_clean(reported: dict[str, object]) -> None:
    try:
        labels = cleaned(reported)
    except LabelsRefused:
        return
    for value in labels.values():
        value.encode("utf-8")
        assert value.isprintable() or not any(ord(character) < 32 for character in value)
