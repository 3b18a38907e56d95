"""The four figures, from stories of deployments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.dora import (
    Band,
    dora,
    failure_band,
    figures,
    frequency_band,
)
from bot.domain.deploy.record import DeploymentRecord, Kind, Outcome
from bot.domain.deploy.slots import Slot
from messages.catalog import load
from messages.render import Voice

T0 = datetime(2026, 3, 1, tzinfo=UTC)
END = T0 + timedelta(days=10)
HOUR = timedelta(hours=1)


def deployed(number: int, outcome: Outcome = Outcome.DONE, **values: object) -> DeploymentRecord:
    """A deployment that began so many hours after the start: committed two hours before, with traffic after
    one, over after two."""
    at = T0 + number * HOUR
    fields: dict[str, object] = {
        "commit_at": at - 2 * HOUR, "traffic_at": at + HOUR, "ended_at": at + 2 * HOUR, "service": "shop"
    } | values  # fmt: skip
    return DeploymentRecord(
        id=number,
        operation_id=number,
        environment="production",
        kind=Kind.DEPLOY,
        revision=f"v{number}",
        previous=None,
        slot=Slot.A,
        asked_by="U1",
        started_at=at,
        outcome=outcome,
        **fields,  # type: ignore[arg-type]  # mypy knows no fields here
    )


def went_back(number: int, minutes: int) -> DeploymentRecord:
    """One that went back by itself, and was restored so many minutes after that was decided."""
    failed = T0 + (number + 1) * HOUR
    restored = failed + timedelta(minutes=minutes)
    return deployed(number, Outcome.ROLLED_BACK, failed_at=failed, restored_at=restored)


def rollback(
    number: int, undoes: int, minutes: int, outcome: Outcome = Outcome.DONE, to: str = "v0"
) -> DeploymentRecord:
    """A rollback by command that takes so many minutes."""
    at = T0 + number * HOUR
    return DeploymentRecord(
        number, number, "shop", "production", Kind.ROLLBACK, to, "v1", Slot.B, "U1", at,
        outcome=outcome, ended_at=at + timedelta(minutes=minutes), undoes=undoes,
    )  # fmt: skip


def test_no_deployment_is_no_data_and_not_zero() -> None:
    none = dora([], T0, END)
    assert (none.per_day, none.lead_time, none.failure_rate, none.restore_time) == (None,) * 4
    assert {figure.phrase for figure in figures(none, bands=True)} == {"no_data"}
    assert {figure.band for figure in figures(none, bands=True)} == {None}


def test_a_span_without_any_after_there_were_some_is_a_frequency_of_zero() -> None:
    later = dora([deployed(1)], END, END + timedelta(days=10))
    assert (later.per_day, later.lead_time, later.failure_rate) == (0, None, None)


def test_frequency_and_lead_time_are_of_those_that_were_done() -> None:
    records = [
        deployed(1),
        deployed(2, commit_at=T0 - 9 * HOUR),
        deployed(3, commit_at=None),
        went_back(4, 1),
        deployed(-48),
    ]
    found = dora(records, T0, END)
    assert (found.deployments, found.per_day) == (3, 0.3)
    assert found.lead_time == ((3 + 12) / 2) * 3600
    assert (found.lead_times, found.lead_times_unknown) == (2, 1)


def test_a_deployment_fails_when_it_goes_back_by_itself_or_by_a_rollback_later() -> None:
    records = [deployed(1), deployed(2), went_back(3, 1), deployed(4), rollback(400, undoes=4, minutes=3)]
    found = dora(records, T0, END)
    assert (found.finished, found.failed, found.failure_rate) == (4, 2, 50)
    assert (found.restore_time, found.restored, found.not_restored) == (120, 2, 0)
    assert found.deployments == 3, "a rollback is no deployment"


def test_what_never_carried_traffic_and_what_runs_still_is_no_failure() -> None:
    records = [
        deployed(1),
        deployed(2, Outcome.FAILED, traffic_at=None),
        deployed(3, Outcome.STOPPED, traffic_at=None),
        deployed(4, Outcome.RUNNING),
    ]
    found = dora(records, T0, END)
    assert (found.finished, found.failure_rate) == (1, 0)
    assert found.restore_time is None


def test_one_that_did_not_come_back_is_counted_as_such() -> None:
    found = dora([deployed(1, Outcome.FAILED, failed_at=T0 + HOUR)], T0, END)
    assert (found.failure_rate, found.restore_time, found.not_restored) == (100, None, 1)


def test_a_second_rollback_takes_back_what_the_first_had_gone_back_to() -> None:
    records = [
        deployed(1),
        deployed(2),
        deployed(3),
        rollback(10, 3, 4, to="v2"),
        rollback(20, 10, 6, to="v1"),
    ]
    found = dora(records, T0, END)
    assert (found.finished, found.failed, found.restored) == (3, 2, 2)
    assert found.restore_time == 5 * 60


def test_a_rollback_that_is_undone_counts_against_nobody_else() -> None:
    records = [deployed(1), deployed(2), rollback(10, 2, 4, to="v1"), rollback(20, 10, 6, to="v2")]
    found = dora(records, T0, END)
    assert (found.finished, found.failed, found.restored) == (2, 1, 1)
    assert found.restore_time == 4 * 60


def test_a_rollback_that_failed_undid_nothing() -> None:
    records = [deployed(1), rollback(2, undoes=1, minutes=5, outcome=Outcome.FAILED)]
    assert dora(records, T0, END).failed == 0


def test_a_clock_that_was_wrong_gives_no_negative_time() -> None:
    found = dora([deployed(1, commit_at=T0 + 9 * HOUR)], T0, END)
    assert (found.lead_time, found.lead_times_unknown) == (None, 1)


def test_a_guardian_that_is_young_counts_the_days_it_has_been_there() -> None:
    young = dora([deployed(1), deployed(24)], T0 - timedelta(days=20), T0 + timedelta(days=4, hours=1))
    assert (young.days, young.per_day) == (4, 0.5)
    newborn = dora([deployed(1)], T0 - timedelta(days=29), T0 + timedelta(hours=1, minutes=10))
    assert (newborn.days, newborn.per_day) == (1, 1)
    old = dora([deployed(-24 * 60), deployed(1)], T0, END)
    assert (old.days, old.per_day) == (10, 0.1)


def test_a_span_of_nothing_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="behind"):
        dora([], T0, T0)


@pytest.mark.parametrize(
    ("per_day", "band"),
    [
        (3, Band.ELITE),
        (1, Band.ELITE),
        (0.5, Band.HIGH),
        (1 / 7, Band.HIGH),
        (0.1, Band.MEDIUM),
        (0, Band.LOW),
    ],
)
def test_bands_of_the_frequency(per_day: float, band: Band) -> None:
    assert frequency_band(per_day) is band


@pytest.mark.parametrize(
    ("percent", "band"),
    [(0, Band.ELITE), (5, Band.ELITE), (10, Band.HIGH), (15, Band.MEDIUM), (64, Band.LOW)],
)
def test_bands_of_the_failure_rate(percent: float, band: Band) -> None:
    assert failure_band(percent) is band


@pytest.mark.parametrize(
    ("hours", "lead", "restore"),
    [(0.5, Band.ELITE, Band.ELITE), (23, Band.ELITE, Band.HIGH), (24 * 6, Band.HIGH, Band.MEDIUM),
     (24 * 29, Band.MEDIUM, Band.LOW), (24 * 31, Band.LOW, Band.LOW)],
)  # fmt: skip
def test_bands_of_times(hours: float, lead: Band, restore: Band) -> None:
    at = T0 + HOUR
    record = deployed(1, commit_at=at - hours * HOUR, traffic_at=at)
    back = deployed(2, Outcome.ROLLED_BACK, traffic_at=at, failed_at=at, restored_at=at + hours * HOUR)
    bands = {figure.name: figure.band for figure in figures(dora([record, back], T0, END), bands=True)}
    assert (bands["lead_time"], bands["restore_time"]) == (lead, restore)
    assert {figure.band for figure in figures(dora([record], T0, END))} == {None}, "only if asked for"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_each_figure_can_be_said(language: str) -> None:
    found = dora([deployed(1), deployed(2, commit_at=None), went_back(3, 1)], T0, END)
    voice = Voice(language)
    for figure in (*figures(found, bands=True), *figures(dora([], T0, END))):
        for key in (f"name.{figure.name}", figure.phrase, *([f"band.{figure.band}"] if figure.band else [])):
            assert f"deploy.dora.{key}" in load(language)
        sentence = voice.phrase(f"deploy.dora.{figure.phrase}", **figure.values)
        assert sentence and "{" not in sentence


@given(st.lists(st.tuples(st.integers(1, 200), st.sampled_from(list(Outcome)), st.booleans()), max_size=30))
def test_figures_keep_within_their_bounds(story: list[tuple[int, Outcome, bool]]) -> None:
    records = [
        deployed(number, outcome, **({} if traffic else {"traffic_at": None}))
        for number, outcome, traffic in story
    ]
    found = dora(records, T0, END)
    assert 0 <= found.failed <= found.finished <= len(records)
    assert found.restored + found.not_restored == found.failed
    assert found.lead_times + found.lead_times_unknown == found.deployments
    assert (found.failure_rate is None) == (found.finished == 0)
    assert found.failure_rate is None or 0 <= found.failure_rate <= 100
